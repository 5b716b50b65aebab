import { z } from 'zod';
import { ConfigError, parsed, schema, url, withoutEmpty } from './config.ts';

/** What `latchkey migrate` is set to. */
export interface MigrationConfig {
  /** Signs in as a user that may make collections and indexes. */
  readonly mongodbUri: string;
}

const variables = z.object({
  MONGODB_URI: schema.shape.MONGODB_URI.optional(),
  MIGRATION_MONGODB_URI: url('MIGRATION_MONGODB_URI', ['mongodb:', 'mongodb+srv:']).optional(),
});

/**
 * Reads the few variables that a migration needs: MIGRATION_MONGODB_URI, or else MONGODB_URI.
 *
 * @throws ConfigError that lists every fault
 */
export function loadMigrationConfig(env: Readonly<Record<string, string | undefined>>): MigrationConfig {
  const { MIGRATION_MONGODB_URI: own, MONGODB_URI: service } = parsed(variables, withoutEmpty(env));
  const mongodbUri = own ?? service;
  if (mongodbUri === undefined) {
    throw new ConfigError(['MIGRATION_MONGODB_URI (or MONGODB_URI) is required: see docs/operating.md']);
  }
  return { mongodbUri };
}
