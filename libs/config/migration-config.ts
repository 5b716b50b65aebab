import { z } from 'zod';
import { ConfigError, parseVariables, schema, url, withoutEmpty } from './config.ts';
import { withSecretFiles } from './secret-files.ts';

/** The settings of `latchkey migrate`. */
export interface MigrationConfig {
  /** Signs in as a user that may create collections and indexes. */
  readonly mongodbUri: string;
}

const variables = z.object({
  MONGODB_URI: schema.shape.MONGODB_URI.optional(),
  MIGRATION_MONGODB_URI: url('MIGRATION_MONGODB_URI', ['mongodb:', 'mongodb+srv:']).optional(),
});

/**
 * Reads MIGRATION_MONGODB_URI, or MONGODB_URI if it is not set.
 *
 * @throws ConfigError that lists every fault
 */
export function loadMigrationConfig(env: Readonly<Record<string, string | undefined>>): MigrationConfig {
  const { set, faults, unread } = withSecretFiles(withoutEmpty(env));
  const { MIGRATION_MONGODB_URI: own, MONGODB_URI: service } = parseVariables(variables, set, faults, unread);
  const mongodbUri = own ?? service;
  if (mongodbUri === undefined) {
    throw new ConfigError(['MIGRATION_MONGODB_URI (or MONGODB_URI) is required. See docs/operating.md']);
  }
  return { mongodbUri };
}
