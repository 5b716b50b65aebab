import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import pg from 'pg';
import type { Client } from 'pg';
import { StartError, awaitAnswer, holdsWithin, identify, startServer } from '../local-stores/processes.ts';
import type { StartedProcess } from '../local-stores/processes.ts';

const BIN = '/usr/lib/postgresql/18/bin';
/** Names the socket; nothing listens on TCP. */
export const POSTGRES_PORT = 5432;
/** How long what a killed server left behind may take to be gone. */
const CRASH_PATIENCE_MS = 15_000;
const DYING_MS = 2_000;
/** The size of sockaddr_un.sun_path on Linux, less its final zero. */
const MAX_SOCKET_PATH = 107;

/** Given at each start, so that data folders made by earlier versions have them too. */
const SETTINGS = [
  // the socket is the only door, in a folder that only root and PostgreSQL's own user may enter
  'listen_addresses=',
  'unix_socket_permissions=0700',
  'dynamic_shared_memory_type=mmap', // there is no /dev/shm in the image
  'shared_preload_libraries=pg_cron,pg_documentdb_core,pg_documentdb',
  // pg_cron does what TTL indexes say; in worker processes, without connections
  'cron.database_name=postgres',
  'cron.use_background_workers=on',
  'cron.log_run=off',
  'cron.log_statement=off',
  'max_worker_processes=16',
  'max_connections=300',
  // conflicting inserts into a unique index wait for one another; found out soon, one of them is tried again
  'deadlock_timeout=20ms',
  // a statement's error is answered to who sent it; in a log it would lay open what was sent
  'log_min_messages=fatal',
];

/** For data that are worth nothing after a crash. */
const UNSAFE_BUT_FAST = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_wal_size=4GB'];

/** A PostgreSQL that runs. */
export interface PostgresServer {
  readonly process: StartedProcess;
  /** where its socket lies, for `pg` to use as host */
  readonly socketFolder: string;
}

/** The command line that runs a program of PostgreSQL's in the image, as the user postgres. */
export function inImage(root: string, program: string, args: readonly string[]): [string, ...string[]] {
  return ['chroot', '--userspec=postgres:postgres', root, `${BIN}/${program}`, ...args];
}

/**
 * Starts PostgreSQL and waits until it answers.
 * @param root the image
 * @param folder the data folder's path inside of it
 * @param durable false: data are lost if the machine, not only PostgreSQL, goes down
 * @param onStarted called as soon as the process exists
 * @throws StartError if it does not come up
 */
export async function startPostgres(
  root: string,
  folder: string,
  durable: boolean,
  onStarted: (process: StartedProcess) => void = () => undefined,
): Promise<PostgresServer> {
  const socketFolder = join(root, folder);
  const socket = socketOf(socketFolder);
  if (Buffer.byteLength(socket) > MAX_SOCKET_PATH) throw new StartError(`DocumentDB: the path ${socket} is too long`);
  for (const end = Date.now() + CRASH_PATIENCE_MS; ;) {
    await refuseOrClearLock(root, folder);
    try {
      return { process: await run(root, folder, durable, onStarted), socketFolder };
    } catch (error) {
      // a postmaster that was killed leaves children, which notice only after a moment
      const soon = /pre-existing shared memory block/.test(String(error));
      if (!soon || Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

/**
 * Removes the lock files of a postmaster that was killed. PostgreSQL would do so itself, but takes a process that has
 * ended and was not waited for, as containers without an init keep them, for a running one.
 */
async function refuseOrClearLock(root: string, folder: string): Promise<void> {
  const file = join(root, folder, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  // one that was just killed may take a moment to be gone
  if (!(await holdsWithin(DYING_MS, () => !servesFolder(pid, folder)))) {
    throw new StartError(`DocumentDB: the data in ${join(root, folder)} are in use by process ${pid}; end that first`);
  }
  for (const left of [file, socketOf(dirname(file)), `${socketOf(dirname(file))}.lock`]) rmSync(left, { force: true });
}

function servesFolder(pid: number, folder: string): boolean {
  return identify(pid) !== null && readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(`/${folder}`);
}

async function run(
  root: string,
  folder: string,
  durable: boolean,
  onStarted: (process: StartedProcess) => void,
): Promise<StartedProcess> {
  const socketFolder = join(root, folder);
  const settings = [
    ...SETTINGS,
    `unix_socket_directories=/${folder}`,
    // some of the extension's functions open a connection to their own server
    `documentdb.localhost_connection_string=host=/${folder}`,
    ...(durable ? [] : UNSAFE_BUT_FAST),
  ];
  const args = ['-D', `/${folder}`, '-p', String(POSTGRES_PORT), ...settings.flatMap((setting) => ['-c', setting])];
  const [file, ...rest] = inImage(root, 'postgres', args);
  const logFile = join(socketFolder, 'postgres.log');
  const env = { PATH: `${BIN}:/usr/sbin:/usr/bin:/sbin:/bin`, HOME: '/tmp', LANG: 'C.UTF-8' };
  rmSync(logFile, { force: true }); // of the last start
  const server = await startServer({ name: 'PostgreSQL', file, args: rest, logFile, env });
  onStarted(server);
  const answers = (): Promise<boolean> | false =>
    existsSync(socketOf(socketFolder)) &&
    withClient(socketFolder, async (client) => (await client.query('SELECT 1')).rowCount === 1);
  await awaitAnswer(server, logFile, answers, 60_000); // after a crash it reads its log first
  return server;
}

function socketOf(folder: string): string {
  return join(folder, `.s.PGSQL.${POSTGRES_PORT}`);
}

/**
 * Does something with a connection of its own.
 * @param socketFolder see PostgresServer
 * @param work what to do
 */
export async function withClient<T>(socketFolder: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ host: socketFolder, port: POSTGRES_PORT, user: 'postgres', database: 'postgres' });
  client.on('error', () => undefined); // what was asked fails, and tells
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
