import { once } from 'node:events';
import { Server } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from '#observability';
import type { Connections } from './http/connections.ts';
import type { Draining } from './http/draining.ts';

/** How long an instance that is to end goes on as before, so that what looks at `/readyz` can notice, in milliseconds. */
const NOTICE_MS = 1_500;
/**
 * How long connections that are open go on after that, so that each is closed by an answer and not under a request; and then, how long
 * the rest of a request's head is waited for. In milliseconds.
 */
const LAST_CALL_MS = 750;
/** How long to say goodbye to the stores, in milliseconds: one that is away does not answer. */
const GOODBYE_MS = 1_000;
/** After this long a shutdown is over, whatever hangs, in milliseconds. */
const LIMIT_MS = 9_000;

/** What takes part in a shutdown. */
export interface Leaving {
  readonly app: NestFastifyApplication;
  readonly draining: Draining;
  readonly connections: Connections;
  readonly logger: Logger;
}

/**
 * Ends the process at SIGTERM and SIGINT such that no request fails: exit code 0, and 1 only where requests were cut off. What has
 * not arrived as far as the end of its head is no request yet.
 */
export function closeOnSignal(leaving: Leaving): void {
  const { draining, logger } = leaving;
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, () => {
      if (draining.begun) return;
      draining.begin();
      logger.info({ signal }, 'draining');
      setTimeout(() => {
        logger.error('shutdown took too long');
        process.exit(1);
      }, LIMIT_MS).unref();
      close(leaving, signal).catch((error: unknown) => {
        logger.error({ err: error }, 'shutdown failed');
        process.exit(1);
      });
    });
  }
}

async function close({ app, draining, connections, logger }: Leaving, signal: string): Promise<never> {
  const server = app.getHttpServer() as Server;
  const served = once(server, 'close');
  // a terminal's Ctrl-C is a person who waits; SIGTERM comes from what moves load elsewhere first
  const patient = signal === 'SIGTERM';
  if (patient) await pause(NOTICE_MS);
  refuseConnections(server, draining);
  if (patient) await pause(LAST_CALL_MS);
  const closed = app.close().then(() => true);
  connections.closeSilent();
  // a head that is half there may be whole at once; a body has as long as there is
  setTimeout(() => connections.closeUnused(), LAST_CALL_MS).unref();
  // requests are answered, jobs are done or will be done by others: what is left are connections to a store that is away
  const late = served.then(() => pause(GOODBYE_MS, false));
  if (await Promise.race([closed, late])) logger.info('stopped');
  else logger.warn('stopped, without an answer from all stores');
  process.exit(0);
}

/**
 * New connections are refused from one moment on: a proxy then takes another instance. Until then open ones are kept open, since the
 * fewer are being made at that moment, the fewer are cut off before they were seen here.
 */
function refuseConnections(server: Server, draining: Draining): void {
  draining.leave();
  // an HTTP server's own `close` would end the idle connections too
  Server.prototype.close.call(server);
}
