import { Global, Module } from '@nestjs/common';
import type { INestApplicationContext, ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CONFIG, loadConfig } from '#config';
import { EventsModule } from '#events';
import { FenceModule } from '#fence';
import { MongoModule, MongoStore } from '#mongo';
import { ObservabilityModule } from '#observability';
import type { CommandContext } from './command.ts';
import { EXIT } from './exit-codes.ts';

/** No command uses the queues, so none asks for REDIS_URL. */
const UNUSED_REDIS_URL = 'redis://127.0.0.1';
/** How long a command waits for MongoDB, in milliseconds. */
const STORE_LIMIT_MS = 30_000;

/**
 * Runs `work` with the service's own libs on its store, without serving anything and without queues.
 *
 * @param modules what it needs besides the event log
 * @returns the exit code of `work`, or EX_UNAVAILABLE when MongoDB could not be reached
 * @throws ConfigError
 */
export async function withStore(
  { env, stderr }: CommandContext,
  modules: NonNullable<ModuleMetadata['imports']>,
  work: (app: INestApplicationContext) => Promise<number>,
): Promise<number> {
  const config = loadConfig({ REDIS_URL: UNUSED_REDIS_URL, ...env, LOG_LEVEL: 'silent' });
  @Global()
  @Module({ providers: [{ provide: CONFIG, useValue: config }], exports: [CONFIG] })
  class ConfigModule {}
  @Module({ imports: [ConfigModule, ObservabilityModule, MongoModule, FenceModule, EventsModule, ...modules] })
  class CommandModule {}
  const app = await NestFactory.createApplicationContext(CommandModule, { logger: false, abortOnError: false });
  try {
    if (!(await storeReached(app.get(MongoStore)))) {
      stderr.write(`MongoDB could not be reached within ${STORE_LIMIT_MS / 1000} seconds. Check MONGODB_URI.\n`);
      return EXIT.unavailable;
    }
    return await work(app);
  } finally {
    await app.close();
  }
}

async function storeReached(store: MongoStore): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), STORE_LIMIT_MS)));
  const reached = await Promise.race([store.open().then(() => true), late]);
  clearTimeout(timer);
  return reached;
}
