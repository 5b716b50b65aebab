import { once } from 'node:events';
import { Server } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from '#observability';
import type { Draining } from './http/draining.ts';

/** How long an instance that is to end goes on as before, so that what looks at `/readyz` can notice, in milliseconds. */
const NOTICE_MS = 1_500;
/** How long connections that are open go on after that, so that each is closed by an answer and not under a request, in milliseconds. */
const LAST_CALL_MS = 750;
/** How long to say goodbye to the stores, in milliseconds: one that is away does not answer. */
const GOODBYE_MS = 1_000;
/** After this long a shutdown is over, whatever hangs, in milliseconds. */
const LIMIT_MS = 9_000;

/** Ends the process at SIGTERM and SIGINT such that no request fails: exit code 0, and 1 only where requests were cut off. */
export function closeOnSignal(app: NestFastifyApplication, draining: Draining, logger: Logger): void {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, () => {
      if (draining.begun) return;
      draining.begin();
      logger.info({ signal }, 'draining');
      setTimeout(() => {
        logger.error('shutdown took too long');
        process.exit(1);
      }, LIMIT_MS).unref();
      close(app, draining, logger, signal).catch((error: unknown) => {
        logger.error({ err: error }, 'shutdown failed');
        process.exit(1);
      });
    });
  }
}

async function close(app: NestFastifyApplication, draining: Draining, logger: Logger, signal: string): Promise<never> {
  const server = app.getHttpServer() as Server;
  const served = once(server, 'close');
  // a terminal's Ctrl-C is a person who waits; SIGTERM comes from what moves load elsewhere first
  if (signal === 'SIGTERM') await leave(server, draining);
  else draining.leave();
  const closed = app.close().then(() => true);
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
async function leave(server: Server, draining: Draining): Promise<void> {
  await pause(NOTICE_MS);
  draining.leave();
  // an HTTP server's own `close` would end the idle connections too
  Server.prototype.close.call(server);
  await pause(LAST_CALL_MS);
}
