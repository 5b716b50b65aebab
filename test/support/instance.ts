import 'reflect-metadata';
import { Global, Module } from '@nestjs/common';
import type { INestApplicationContext, ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { AuditModule } from '#audit';
import { CatalogueModule } from '#catalogue';
import { CONFIG, loadConfig } from '#config';
import { EventsModule } from '#events';
import { FenceModule } from '#fence';
import { IdentityModule } from '#identity';
import type { CallContext } from '#kernel';
import { MongoModule, MongoStore } from '#mongo';
import { ObservabilityModule } from '#observability';
import { QueuesModule } from '#queues';
import { RepairModule } from '#recovery';
import { RetentionModule } from '#retention';
import type { TestDatabase } from './database.ts';

/** The libs of one instance without HTTP, in this process. Several on one database race like processes. */
export interface Instance {
  readonly app: INestApplicationContext;
  readonly commands: CommandBus;
  readonly queries: QueryBus;
}

/**
 * Starts one and waits until its store is ready.
 *
 * @param env variables that differ from the usual configuration
 * @param modules modules beyond the catalogue and identity
 */
export async function startInstance(
  database: TestDatabase,
  env: Readonly<Record<string, string>> = {},
  modules: NonNullable<ModuleMetadata['imports']> = [],
): Promise<Instance> {
  await database.migrate();
  const config = loadConfig({
    MONGODB_URI: database.uri,
    REDIS_URL: database.redisUrl,
    LOG_LEVEL: 'silent',
    ...env,
  });
  @Global()
  @Module({ providers: [{ provide: CONFIG, useValue: config }], exports: [CONFIG] })
  class ConfigModule {}
  @Module({
    imports: [
      ConfigModule,
      ObservabilityModule,
      MongoModule,
      FenceModule,
      EventsModule,
      AuditModule,
      RetentionModule,
      QueuesModule,
      RepairModule,
      IdentityModule,
      CatalogueModule,
      ...modules,
    ],
  })
  class InstanceModule {}
  const app = await NestFactory.createApplicationContext(InstanceModule, { logger: false, abortOnError: false });
  await app.get(MongoStore).open();
  return { app, commands: app.get(CommandBus), queries: app.get(QueryBus) };
}

/** The context of a person's call. */
export function callBy(userId = 'us_test'): CallContext {
  return { actor: { type: 'user', id: userId, ip: '192.0.2.1' }, requestId: 'test-request' };
}

/** The results of simultaneous calls: how many succeeded, and the codes of the others. */
export function outcomes(results: readonly PromiseSettledResult<unknown>[]): { done: number; codes: string[] } {
  const failed = results.filter((result) => result.status === 'rejected').map((result) => result.reason as unknown);
  const codes = failed.map((error) =>
    error instanceof Error && 'code' in error ? String(error.code) : `not a domain error: ${String(error)}`,
  );
  return { done: results.length - failed.length, codes };
}
