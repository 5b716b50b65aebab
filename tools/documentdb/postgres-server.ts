import { existsSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { Client } from 'pg';
import { StartError, awaitAnswer, startServer } from '../local-stores/processes.ts';
import type { StartedProcess } from '../local-stores/processes.ts';

const BIN = '/usr/lib/postgresql/18/bin';
/** Names the socket; nothing listens on TCP. */
export const POSTGRES_PORT = 5432;
/** The size of sockaddr_un.sun_path on Linux, less its final zero. */
const MAX_SOCKET_PATH = 107;

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
  const socket = join(socketFolder, `.s.PGSQL.${POSTGRES_PORT}`);
  if (Buffer.byteLength(socket) > MAX_SOCKET_PATH) throw new StartError(`DocumentDB: the path ${socket} is too long`);
  const settings = [
    `unix_socket_directories=/${folder}`,
    // some of the extension's functions open a connection to their own server
    `documentdb.localhost_connection_string=host=/${folder}`,
    ...(durable ? [] : UNSAFE_BUT_FAST),
  ];
  const args = ['-D', `/${folder}`, '-p', String(POSTGRES_PORT), ...settings.flatMap((setting) => ['-c', setting])];
  const [file, ...rest] = inImage(root, 'postgres', args);
  const logFile = join(socketFolder, 'postgres.log');
  const env = { PATH: `${BIN}:/usr/sbin:/usr/bin:/sbin:/bin`, HOME: '/tmp', LANG: 'C.UTF-8' };
  const server = await startServer({ name: 'PostgreSQL', file, args: rest, logFile, env });
  onStarted(server);
  const answers = (): Promise<boolean> | false =>
    existsSync(socket) && withClient(socketFolder, async (client) => (await client.query('SELECT 1')).rowCount === 1);
  await awaitAnswer(server, logFile, answers, 60_000); // after a crash it reads its log first
  return { process: server, socketFolder };
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
