import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import mongoose from 'mongoose';
import type { StoreContext } from './context.ts';
import { databaseUsers } from './mongodb-users.ts';
import { storePasswords } from './passwords.ts';
import { freePort } from './ports.ts';
import { awaitAnswer, endProcess, holdsWithin, startServer, StartError } from './processes.ts';
import type { StartedProcess } from './processes.ts';

const REPLICA_SET = 'latchkey';
const DATABASE = 'latchkey';
const PRIMARY_MS = 30_000;
const STOP_MS = 15_000;
/** A port that was free a moment ago may be taken. */
const ATTEMPTS = 5;

/** One mongod: its program, its data and how it is to be started. */
interface Mongod {
  readonly program: string;
  readonly folder: string;
  readonly context: StoreContext;
  readonly port: number;
}

/**
 * Runs mongod as a replica set of one, so that it has transactions, with its data in `mongodb` of the data folder.
 * Users sign in: those of tools/docker/mongo-init.js and the administrator, who are made at the first start.
 * @param program path of mongod
 * @returns the administrator's `mongodb://` URI, without a database's name
 * @throws StartError if it does not come up
 */
export async function startMongod(program: string, context: StoreContext): Promise<string> {
  const folder = join(context.dataFolder, 'mongodb');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (let attempt = 1; ; attempt++) {
    try {
      return await run({ program, folder, context, port: await freePort() });
    } catch (error) {
      if (attempt === ATTEMPTS || !/in use/i.test(String(error))) throw error;
    }
  }
}

async function run(mongod: Mongod): Promise<string> {
  const { folder, context, port } = mongod;
  const root = storePasswords(context.dataFolder)['mongodb-root-password'];
  const usersMade = join(folder, 'users-made');
  if (!existsSync(usersMade)) {
    const open = await start(mongod, []);
    await onPrimary(port, '', (client) => makeUsers(client, context));
    await endProcess(open.identity, 'SIGTERM', STOP_MS);
    writeFileSync(usersMade, '');
  }
  context.ledger.add(await start(mongod, ['--keyFile', keyFile(folder)]), 'SIGTERM');
  await onPrimary(port, `root:${root}@`, () => Promise.resolve());
  return `mongodb://root:${root}@127.0.0.1:${port}/?replicaSet=${REPLICA_SET}&authSource=admin`;
}

async function start({ program, folder, port }: Mongod, access: readonly string[]): Promise<StartedProcess> {
  const logFile = join(folder, 'mongod.log');
  const args = ['--dbpath', folder, '--port', String(port), '--bind_ip', '127.0.0.1', '--replSet', REPLICA_SET];
  const server = await startServer({ name: 'MongoDB', file: program, args: [...args, ...access], logFile });
  await awaitAnswer(server, logFile, async () => {
    await (await connect(port, '')).close();
    return true;
  });
  return server;
}

/** A client that once failed to connect stays closed: each attempt takes a new one. */
function connect(port: number, credentials: string, limitMs = 500): Promise<mongoose.mongo.MongoClient> {
  const uri = `mongodb://${credentials}127.0.0.1:${port}/?directConnection=true&authSource=admin`;
  return mongoose.mongo.MongoClient.connect(uri, { serverSelectionTimeoutMS: limitMs });
}

/** Makes it a primary, and does something with it. */
async function onPrimary(
  port: number,
  credentials: string,
  work: (client: mongoose.mongo.MongoClient) => Promise<void>,
): Promise<void> {
  const client = await connect(port, credentials, PRIMARY_MS);
  try {
    const admin = client.db('admin');
    await beMember(admin, `127.0.0.1:${port}`);
    const isPrimary = async (): Promise<boolean> => (await admin.command({ hello: 1 }))['isWritablePrimary'] === true;
    if (!(await holdsWithin(PRIMARY_MS, isPrimary))) {
      throw new StartError(`MongoDB did not become its replica set's primary within ${PRIMARY_MS / 1000} s`);
    }
    await work(client);
  } finally {
    await client.close();
  }
}

async function makeUsers(client: mongoose.mongo.MongoClient, { dataFolder }: StoreContext): Promise<void> {
  const passwords = storePasswords(dataFolder);
  const pwd = passwords['mongodb-root-password'];
  await unlessExists(client.db('admin').command({ createUser: 'root', pwd, roles: ['root'] }));
  const { roles, users } = databaseUsers(DATABASE, passwords);
  const latchkey = client.db(DATABASE);
  for (const { role, ...rest } of roles) await unlessExists(latchkey.command({ createRole: role, ...rest }));
  for (const { user, ...rest } of users) await unlessExists(latchkey.command({ createUser: user, ...rest }));
}

/** A first start may have been cut off in between. */
async function unlessExists(made: Promise<unknown>): Promise<void> {
  const EXISTS = [51002, 51003]; // a role, a user
  try {
    await made;
  } catch (error) {
    if (!(error instanceof mongoose.mongo.MongoServerError && EXISTS.includes(Number(error.code)))) throw error;
  }
}

/** What a member of a replica set with users needs, though it has no others to talk to. */
function keyFile(folder: string): string {
  const file = join(folder, 'key');
  if (!existsSync(file) || readFileSync(file).length === 0) {
    writeFileSync(file, randomBytes(384).toString('base64'), { mode: 0o400 });
  }
  return file;
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
