import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import mongoose from 'mongoose';
import type { StoreContext } from './index.ts';
import { freePort } from './ports.ts';
import { awaitAnswer, holdsWithin, startServer, StartError } from './processes.ts';

const REPLICA_SET = 'latchkey';
/** mongod's exit code when its port is taken. */
const ATTEMPTS = 5;

/**
 * Runs mongod as a replica set of one, so that it has transactions, with its data in `mongodb` of the data folder.
 * @param program path of mongod
 * @returns its `mongodb://` URI, without a database's name
 * @throws StartError if it does not come up
 */
export async function startMongod(program: string, context: StoreContext): Promise<string> {
  const folder = join(context.dataFolder, 'mongodb');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (let attempt = 1; ; attempt++) {
    try {
      return await run(program, folder, context);
    } catch (error) {
      if (attempt === ATTEMPTS || !/in use/i.test(String(error))) throw error;
    }
  }
}

async function run(program: string, folder: string, { ledger }: StoreContext): Promise<string> {
  const port = await freePort();
  const logFile = join(folder, 'mongod.log');
  const args = ['--dbpath', folder, '--port', String(port), '--bind_ip', '127.0.0.1', '--replSet', REPLICA_SET];
  const server = await startServer({ name: 'MongoDB', file: program, args, logFile });
  ledger.add(server, 'SIGTERM');
  const host = `127.0.0.1:${port}`;
  const direct = new mongoose.mongo.MongoClient(`mongodb://${host}/?directConnection=true`, {
    serverSelectionTimeoutMS: 500,
  });
  try {
    const admin = direct.db('admin');
    await awaitAnswer(server, logFile, async () => (await admin.command({ ping: 1 }))['ok'] === 1);
    await beMember(admin, host);
    const primary = await holdsWithin(
      30_000,
      async () => (await admin.command({ hello: 1 }))['isWritablePrimary'] === true,
    );
    if (!primary) throw new StartError('MongoDB did not become the primary of its replica set within 30 s');
  } finally {
    await direct.close();
  }
  return `mongodb://${host}/?replicaSet=${REPLICA_SET}`;
}

/** Initiates the replica set, or tells it this start's port. */
async function beMember(admin: mongoose.mongo.Db, host: string): Promise<void> {
  const configured = await currentConfig(admin);
  if (configured === null) {
    await admin.command({ replSetInitiate: { _id: REPLICA_SET, members: [{ _id: 0, host }] } });
    return;
  }
  if (configured.members[0]?.host === host) return;
  // forced: with last time's port in its configuration the only member finds itself in no set, and has no primary
  const config = { ...configured, version: configured.version + 1, members: [{ ...configured.members[0], host }] };
  await admin.command({ replSetReconfig: config, force: true });
}

interface ReplicaSetConfig {
  readonly version: number;
  readonly members: { readonly host: string }[];
}

async function currentConfig(admin: mongoose.mongo.Db): Promise<ReplicaSetConfig | null> {
  const NOT_YET_INITIALIZED = 94;
  try {
    return ((await admin.command({ replSetGetConfig: 1 })) as unknown as { config: ReplicaSetConfig }).config;
  } catch (error) {
    if (error instanceof mongoose.mongo.MongoServerError && error.code === NOT_YET_INITIALIZED) return null;
    throw error;
  }
}
