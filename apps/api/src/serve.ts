import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Config } from '#config';
import { FirstAdmin } from '#identity';
import { MongoStore } from '#mongo';
import { LOGGER, Metrics, NestLogger } from '#observability';
import type { Logger } from '#observability';
import { ApiModule } from './api.module.ts';
import { EXIT } from './cli/exit-codes.ts';
import { addRequestTurns } from './http/request-turns.ts';
import { ConnectionLimits } from './http/connection-limits.ts';
import { Connections } from './http/connections.ts';
import { addDeadline } from './http/deadline.ts';
import { serveDirectRoutes } from './http/direct-routes.ts';
import { Draining } from './http/draining.ts';
import { createHttpAdapter } from './http/http-adapter.ts';
import { addPublicPath } from './http/public-path.ts';
import { addRequestHooks } from './http/request-hooks.ts';
import { RouteTable } from './http/route-table.ts';
import { addOAuthHooks } from './oauth/oauth-hooks.ts';
import { DIRECT_CONTROLLERS } from './oauth/oauth.module.ts';
import { serveDocs } from './openapi.ts';
import { checkPort, portFault } from './free-port.ts';
import { closeOnSignal } from './shutdown.ts';

/** The service listens after this time even if the store is unavailable. */
const MAX_STORE_WAIT_MS = 2_000;
const POLL_MS = 5;

/**
 * Starts the service and returns once it listens. Unavailable stores are shown by `/readyz`, and retried.
 *
 * @throws Error when the port is taken
 */
export async function serve(config: Config): Promise<void> {
  await checkPort(config.port, config.host);
  const routes = new RouteTable(config.publicPath);
  const adapter = createHttpAdapter(config.publicPath, routes);
  routes.watch(adapter.getInstance());
  const app = await NestFactory.create<NestFastifyApplication>(ApiModule.for(config, routes), adapter, {
    bodyParser: false,
    bufferLogs: true,
    abortOnError: false,
  });
  const logger = app.get<Logger>(LOGGER);
  app.useLogger(new NestLogger(logger));
  addRequestTurns(adapter.getInstance());
  addRequestHooks(adapter.getInstance(), config, logger, routes);
  addPublicPath(adapter.getInstance(), config.publicPath);
  addDeadline(adapter.getInstance());
  addOAuthHooks(adapter.getInstance());
  if (config.role !== 'worker') serveDirectRoutes(app, DIRECT_CONTROLLERS);
  serveDocs(app, { publicPath: config.publicPath, oidc: config.oidc !== undefined });
  await app.init();
  await waitForStores(app);
  const connections = new Connections(app.getHttpServer());
  new ConnectionLimits(app.getHttpServer(), config, app.get(Metrics), logger);
  await listen(app, config);
  const { port } = app.getHttpServer().address() as AddressInfo;
  logger.info(
    { url: `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`, role: config.role },
    'listening',
  );
  closeOnSignal({ app, draining: app.get(Draining), connections, logger });
  void exitOnFault(app.get(FirstAdmin));
}

/** @throws Error that says what to do when the port is taken */
async function listen(app: NestFastifyApplication, { port, host }: Config): Promise<void> {
  try {
    // Nest's own `listen` would log the error too
    await app.getHttpAdapter().getInstance().listen({ port, host });
  } catch (error) {
    throw portFault(error, port, host);
  }
}

/** Waits before the port opens, because a proxy then sends requests immediately, and the first one must succeed. */
async function waitForStores(app: NestFastifyApplication): Promise<void> {
  const store = app.get(MongoStore);
  const firstAdmin = app.get(FirstAdmin);
  void store.open();
  const deadlineAtMs = performance.now() + MAX_STORE_WAIT_MS;
  while (!(store.ready && firstAdmin.settled) && performance.now() < deadlineAtMs) await pause(POLL_MS);
}

/** Exits if the first admin is misconfigured. This needs the store, so it can be long after the start. */
async function exitOnFault(firstAdmin: FirstAdmin): Promise<void> {
  const fault = await firstAdmin.fault();
  if (fault === undefined) return;
  process.stderr.write(`Latchkey cannot start with this configuration:\n  - ${fault}\n`);
  process.exit(EXIT.config);
}
