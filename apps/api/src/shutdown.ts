import { once } from 'node:events';
import { Server } from 'node:net';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from '#observability';
import type { Connections } from './http/connections.ts';
import type { Draining } from './http/draining.ts';

/** How long the instance still serves as before, so that load balancers notice its `/readyz`. */
const READINESS_NOTICE_MS = 1_500;
/**
 * After that, how long open connections are kept, so that an answer closes each of them and no request is cut off. Then
 * the time limit for the rest of a request head.
 */
const DRAIN_MS = 750;
/** The time limit for closing the connections to the stores. */
const CLOSE_STORES_MS = 1_000;
/** The time limit for the whole shutdown. */
const SHUTDOWN_LIMIT_MS = 9_000;

/** The parts of the service that a shutdown involves. */
export interface ShutdownContext {
  readonly app: NestFastifyApplication;
  readonly draining: Draining;
  readonly connections: Connections;
  readonly logger: Logger;
}

/**
 * Shuts down at SIGTERM and SIGINT without failing a request. Exit code 0, or 1 if requests were cut off. A request
 * counts once its head has arrived.
 */
export function closeOnSignal(context: ShutdownContext): void {
  const { draining, logger } = context;
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, () => {
      if (draining.hasBegun) return;
      draining.begin();
      logger.info({ signal }, 'draining');
      setTimeout(() => {
        logger.error('shutdown took too long');
        process.exit(1);
      }, SHUTDOWN_LIMIT_MS).unref();
      close(context, signal).catch((error: unknown) => {
        logger.error({ err: error }, 'shutdown failed');
        process.exit(1);
      });
    });
  }
}

async function close({ app, connections, logger }: ShutdownContext, signal: string): Promise<never> {
  const server = app.getHttpServer() as Server;
  const served = once(server, 'close');
  // SIGTERM comes from an orchestrator that moves load elsewhere; at Ctrl-C a person waits
  const drainsSlowly = signal === 'SIGTERM';
  if (drainsSlowly) await pause(READINESS_NOTICE_MS);
  await arrivals();
  refuseConnections(server, connections);
  if (drainsSlowly) await pause(DRAIN_MS);
  await arrivals();
  const closed = app.close().then(() => true);
  connections.closeSilent();
  // give a partial head a moment to complete; a body has the whole shutdown limit
  setTimeout(() => setImmediate(() => connections.closeWhenIdle()), DRAIN_MS).unref();
  // requests are answered and jobs are done or left to others; only connections to an unavailable store can hang
  const late = served.then(() => pause(CLOSE_STORES_MS, false));
  if (await Promise.race([closed, late])) logger.info('stopped');
  else logger.warn('stopped; a store did not answer in time');
  process.exit(0);
}

/**
 * Waits until the connections and requests that have arrived at the machine were taken over: what is closed then holds
 * no request that its client believes sent.
 */
async function arrivals(): Promise<void> {
  // the phase before `setImmediate` accepts connections and reads from them; a new one is read a turn later
  await nextTurn();
  await nextTurn();
}

/**
 * Refuses new connections, so that a proxy chooses another instance. Open ones were kept until now: the fewer
 * connections are being established at this moment, the fewer are lost in the backlog.
 */
function refuseConnections(server: Server, connections: Connections): void {
  connections.leave();
  // `close` of the HTTP server would also close idle connections
  Server.prototype.close.call(server);
}
