import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Config } from '#config';
import { MongoStore } from '#mongo';
import { LOGGER, NestLogger } from '#observability';
import type { Logger } from '#observability';
import { ApiModule } from './api.module.ts';
import { Draining } from './http/draining.ts';
import { createHttpAdapter } from './http/http-adapter.ts';
import { addRequestHooks } from './http/request-hooks.ts';
import { RouteTable } from './http/route-table.ts';
import { addOAuthHooks } from './oauth/oauth-hooks.ts';
import { serveDocs } from './openapi.ts';

/** How long a draining instance still takes requests, so that a proxy can notice, in milliseconds. */
const DRAIN_MS = 1_500;
/** After this long a shutdown is over, whatever hangs, in milliseconds. */
const SHUTDOWN_LIMIT_MS = 9_000;

/**
 * Starts the service and returns when it listens. The stores may be away: it says so at `/readyz` and heals by itself.
 *
 * @throws Error when the port is taken
 */
export async function serve(config: Config): Promise<void> {
  const adapter = createHttpAdapter();
  const routes = new RouteTable();
  routes.watch(adapter.getInstance());
  const app = await NestFactory.create<NestFastifyApplication>(ApiModule.for(config, routes), adapter, {
    bodyParser: false,
    bufferLogs: true,
    abortOnError: false,
  });
  const logger = app.get<Logger>(LOGGER);
  app.useLogger(new NestLogger(logger));
  const draining = app.get(Draining);
  addRequestHooks(adapter.getInstance(), config, logger, draining);
  addOAuthHooks(adapter.getInstance());
  serveDocs(app);
  void app.get(MongoStore).open();
  await app.listen(config.port, config.host);
  const { port } = app.getHttpServer().address() as AddressInfo;
  logger.info(
    { url: `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`, role: config.role },
    'listening',
  );
  closeOnSignal(app, draining, logger);
}

function closeOnSignal(app: NestFastifyApplication, draining: Draining, logger: Logger): void {
  const close = async (signal: string): Promise<void> => {
    if (draining.active) return;
    draining.begin();
    logger.info({ signal }, 'draining');
    setTimeout(() => {
      logger.error('shutdown took too long');
      process.exit(1);
    }, SHUTDOWN_LIMIT_MS).unref();
    // a terminal's Ctrl-C is a person who waits; SIGTERM comes from what moves load elsewhere first
    if (signal === 'SIGTERM') await new Promise((resolve) => setTimeout(resolve, DRAIN_MS));
    await app.close();
    logger.info('stopped');
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, () => {
      close(signal).catch((error: unknown) => {
        logger.error({ err: error }, 'shutdown failed');
        process.exit(1);
      });
    });
  }
}
