import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runAtLength } from '../local-stores/debian.ts';
import type { StoreContext } from '../local-stores/context.ts';
import { USERS_SCRIPT } from '../local-stores/mongodb-users.ts';
import { passwordsFile, storePasswords } from '../local-stores/passwords.ts';
import { StartError, awaitAnswer, startServer } from '../local-stores/processes.ts';
import { behaviourFlags } from './behaviour.ts';
import { ensureImage, imageRoot } from './image.ts';
import { POSTGRES_PORT, startPostgres } from './postgres-server.ts';

const GATEWAY = fileURLToPath(new URL('../../packages/documentdb-gateway/main.ts', import.meta.url));

/**
 * Runs PostgreSQL with the DocumentDB extension and, before it, the gateway that speaks MongoDB's wire protocol.
 * @returns the administrator's `mongodb://` URI, without a database's name
 * @throws StartError if that cannot be had here
 */
export async function startDocumentDb(context: StoreContext): Promise<string> {
  return startGateway(await startDatabase(context), context);
}

/**
 * Runs PostgreSQL with the DocumentDB extension, in the Debian image, which is made if need be.
 * @returns the folder of its socket, for `pg` to use as host
 * @throws StartError if that cannot be had here
 */
export async function startDatabase(context: StoreContext): Promise<string> {
  await ensureImage(context.say);
  const root = imageRoot();
  const { socketFolder } = await startPostgres(root, await dataFolder(root, context), context.durable, (started) => {
    context.ledger.add(started, 'SIGINT'); // "fast shutdown": it ends sessions instead of waiting for them
  });
  return socketFolder;
}

async function startGateway(socketFolder: string, context: StoreContext): Promise<string> {
  const { ledger, dataFolder: folder, durable } = context;
  const root = storePasswords(folder)['mongodb-root-password'];
  const logFile = join(folder, 'gateway.log');
  const address = ['--postgres-host', socketFolder, '--postgres-port', String(POSTGRES_PORT)];
  const args = [GATEWAY, ...address, '--users', USERS_SCRIPT, '--passwords', passwordsFile(folder)];
  args.push(...behaviourFlags(process.env, durable));
  // tests get elections, and members to fail over to
  if (!durable) args.push('--members', '3', '--control');
  const gateway = await startServer({
    name: 'DocumentDB gateway',
    file: process.execPath,
    args,
    logFile,
    stdin: 'pipe',
    stdout: 'pipe',
  });
  ledger.add(gateway, 'SIGTERM');
  let output = '';
  gateway.child.stdout?.on('data', (data: Buffer) => (output += data.toString()));
  await awaitAnswer(gateway, logFile, () => output.includes('\n'));
  const { port } = JSON.parse(output) as { port: number };
  return `mongodb://root:${root}@127.0.0.1:${port}/?authSource=admin`;
}

/**
 * The data folder, as a path inside the image: the process that is confined to the image cannot reach outside of it.
 * A checkout's own is found by a link `documentdb` among its data; one for tests goes when they end.
 */
async function dataFolder(root: string, { dataFolder: data, durable, ledger, say }: StoreContext): Promise<string> {
  const link = join(data, 'documentdb');
  if (durable && lstatSync(link, { throwIfNoEntry: false })) {
    const target = readlinkSync(link);
    if (dirname(target) === join(root, 'data') && existsSync(target)) return target.slice(root.length + 1);
    throw new StartError(
      `DocumentDB: the data in ${target}, where ${link} leads, are gone; remove the link to start anew`,
    );
  }
  const folder = join('data', `${durable ? 'checkout' : 'test'}-${randomBytes(6).toString('hex')}`);
  const path = join(root, folder);
  if (!durable) ledger.addEphemeral(path);
  mkdirSync(dirname(path), { recursive: true });
  rmSync(`${path}.new`, { recursive: true, force: true });
  await runAtLength('DocumentDB: a new database', ['cp', '-a', join(root, 'template'), `${path}.new`], say);
  renameSync(`${path}.new`, path);
  if (durable) symlinkSync(path, link);
  return folder;
}
