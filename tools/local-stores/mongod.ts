import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import mongoose from 'mongoose';
import type { StoreContext } from './context.ts';
import { freePort } from './ports.ts';
import { awaitAnswer, holdsWithin, startServer, StartError } from './processes.ts';

const REPLICA_SET = 'latchkey';
const PRIMARY_MS = 30_000;
/** A port that was free a moment ago may be taken. */
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
  // a client that once failed to connect stays closed: each attempt takes a new one
  const connect = (): Promise<mongoose.mongo.MongoClient> =>
    mongoose.mongo.MongoClient.connect(`mongodb://${host}/?directConnection=true`, { serverSelectionTimeoutMS: 500 });
  await awaitAnswer(server, logFile, async () => {
    await (await connect()).close();
    return true;
  });
  const client = await connect();
  try {
    const admin = client.db('admin');
    await beMember(admin, host);
    const primary = await holdsWithin(
      PRIMARY_MS,
      async () => (await admin.command({ hello: 1 }))['isWritablePrimary'] === true,
    );
    if (!primary)
      throw new StartError(`MongoDB did not become its replica set's primary within ${PRIMARY_MS / 1000} s`);
  } finally {
    await client.close();
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
