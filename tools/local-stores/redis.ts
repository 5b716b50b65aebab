import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { disableService, installPackages, whyNoPackages } from './debian.ts';
import type { StoreContext } from './context.ts';
import { storePasswords } from './passwords.ts';
import { ask, freePort } from './ports.ts';
import { StartError, awaitAnswer, onPath, startServer } from './processes.ts';

/** A port that was free a moment ago may be taken. */
const ATTEMPTS = 5;

/**
 * Makes sure that a Redis runs, with its data in `redis` of the data folder.
 * @returns its `redis://` URL
 * @throws StartError if there is no way to have one
 */
export async function startRedis(context: StoreContext): Promise<string> {
  const program = onPath('redis-server') ?? onPath('valkey-server') ?? (await install(context));
  const folder = join(context.dataFolder, 'redis');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (let attempt = 1; ; attempt++) {
    try {
      return await run(program, folder, context);
    } catch (error) {
      if (attempt === ATTEMPTS || !/Address already in use/.test(String(error))) throw error;
    }
  }
}

async function run(program: string, folder: string, { ledger, dataFolder }: StoreContext): Promise<string> {
  const port = await freePort();
  const logFile = join(folder, 'redis.log');
  const password = storePasswords(dataFolder)['redis-password'];
  // in a file: arguments can be seen by everybody on the machine
  const configFile = join(folder, 'redis.conf');
  writeFileSync(configFile, `requirepass ${password}\n`, { mode: 0o600 });
  const args = [configFile, '--port', port, '--bind', '127.0.0.1', '--dir', folder, '--daemonize', 'no'];
  // BullMQ's jobs must not be evicted; the append-only file keeps them over a crash
  args.push('--maxmemory-policy', 'noeviction', '--appendonly', 'yes', '--save', '');
  const server = await startServer({ name: 'Redis', file: program, args: args.map(String), logFile });
  ledger.add(server, 'SIGTERM');
  await awaitAnswer(server, logFile, async () => (await ask(port, 'PING\r\n')).startsWith('-NOAUTH'));
  return `redis://:${password}@127.0.0.1:${port}`;
}

async function install({ say }: StoreContext): Promise<string> {
  const obstacle = whyNoPackages();
  if (obstacle !== null)
    throw new StartError(`Redis: neither redis-server nor valkey-server is on PATH, and ${obstacle}`);
  await installPackages(['redis-server'], say);
  disableService('redis-server');
  const program = onPath('redis-server');
  if (program === null) throw new StartError('Redis: the package redis-server brought no program redis-server');
  return program;
}
