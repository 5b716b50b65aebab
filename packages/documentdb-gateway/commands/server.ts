import { BSON } from 'bson';
import type { Command, Reply } from '../command.ts';
import type { Handler, Services } from '../services.ts';
import { hello } from '../topology/hello.ts';

const OK = { ok: 1 };
const VERSION = '8.0.0';

/** `killSessions`: an array of `{id}`; an open transaction of one is rolled back. */
async function killSessions({ transactions }: Services, command: Command): Promise<Reply> {
  const sessions = Object.values(BSON.deserialize(command.body))[0] as { id?: { buffer: Uint8Array } }[] | undefined;
  for (const { id } of sessions ?? []) {
    if (id) await transactions.abandon(Buffer.from(id.buffer).toString('hex'));
  }
  return OK;
}

/** `endSessions` of a driver that shuts down. MongoDB leaves an open transaction to the sweep of expired ones. */
async function endSessions(services: Services, command: Command): Promise<Reply> {
  return services.transactions.outliveConnections ? OK : killSessions(services, command);
}

async function killAllSessions({ transactions }: Services): Promise<Reply> {
  await transactions.abandonAll();
  return OK;
}

const buildInfo = (): Reply => ({
  version: VERSION,
  versionArray: [8, 0, 0, 0],
  gitVersion: 'documentdb',
  modules: [],
  bits: 64,
  debug: false,
  maxBsonObjectSize: 16 * 1024 * 1024,
  ok: 1,
});

/** Commands about the server, sessions and transactions. */
export const server: Readonly<Record<string, Handler>> = {
  hello: (_services, command) => hello(false, command.connection),
  ismaster: (_services, command) => hello(true, command.connection),
  isMaster: (_services, command) => hello(true, command.connection),
  ping: async ({ database }) => {
    await database.rows({ client: null }, { name: 'ping', text: 'SELECT 1' }, []);
    return OK;
  },
  saslStart: ({ access }, command) => access?.start(command) ?? OK,
  saslContinue: ({ access }, command) => access?.finish(command) ?? OK,
  startSession: () => OK,
  refreshSessions: () => OK,
  endSessions,
  killSessions,
  killAllSessions,
  commitTransaction: async ({ transactions }, command) => {
    await transactions.commit(command);
    return OK;
  },
  abortTransaction: async ({ transactions }, command) => {
    await transactions.abort(command);
    return OK;
  },
  configureFailPoint: ({ failPoints }, command) => failPoints.configure(command),
  buildInfo,
  buildinfo: buildInfo,
  serverStatus: ({ statistics }) => ({
    version: VERSION,
    process: 'gateway',
    uptime: process.uptime(),
    localTime: new Date(),
    ...statistics.report(),
    ok: 1,
  }),
  getParameter: () => ({ featureCompatibilityVersion: { version: '8.0' }, ok: 1 }),
  hostInfo: () => ({ system: { currentTime: new Date() }, os: {}, extra: {}, ok: 1 }),
  whatsmyuri: (_services, command) => ({
    you: `${command.connection.socket.remoteAddress ?? ''}:${command.connection.socket.remotePort ?? 0}`,
    ok: 1,
  }),
  connectionStatus: () => ({ authInfo: { authenticatedUsers: [], authenticatedUserRoles: [] }, ok: 1 }),
};
