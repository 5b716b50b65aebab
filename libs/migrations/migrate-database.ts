import mongoose from 'mongoose';
import pRetry from 'p-retry';
import { RepeatedNotice } from '#observability';
import { CODE, hasCode } from './mongo-error-code.ts';
import { MigrationError } from './migration.ts';
import type { Migration } from './migration.ts';
import { Migrator } from './migrator.ts';

const SELECT_SERVER_MS = 5_000;
const RETRY_MS = 1_000;

/** The store could not be reached in time. */
export class StoreUnreachable extends Error {
  override readonly name = 'StoreUnreachable';
}

export interface MigrationRun {
  readonly uri: string;
  readonly migrations: readonly Migration[];
  /** Receives a line of progress. */
  readonly say: (line: string) => void;
  /** How long to wait for an unreachable store. Starts again with each line of progress. */
  readonly waitMs: number;
}

/**
 * Migrates a database to this version. Retries the current step after a lost connection or a failover.
 *
 * @returns the number of migrations that ran
 * @throws MigrationError for a permanent fault, StoreUnreachable after `waitMs` without an answer from the store
 */
export async function migrateDatabase({ uri, migrations, say, waitMs }: MigrationRun): Promise<number> {
  let sinceMs = performance.now();
  const reportProgress = (line: string): void => {
    sinceMs = performance.now(); // the store answers
    say(line);
  };
  const waiting = new RepeatedNotice(say);
  try {
    return await pRetry(() => migrateOnce(uri, migrations, reportProgress), {
      ...{ retries: Infinity, factor: 1, minTimeout: RETRY_MS },
      shouldRetry: ({ error }) => permanentFault(error) === undefined && performance.now() - sinceMs <= waitMs,
      onFailedAttempt: ({ error }) => {
        if (permanentFault(error) === undefined) waiting.report(`waiting for MongoDB: ${error.message}`);
      },
    });
  } catch (error) {
    throw permanentFault(error) ?? new StoreUnreachable((error as Error).message, { cause: error });
  }
}

/**
 * Uses its own client without a socket timeout: building a large index takes long, and after a timeout the driver would
 * send the command again.
 */
async function migrateOnce(
  uri: string,
  migrations: readonly Migration[],
  say: (line: string) => void,
): Promise<number> {
  const client = new mongoose.mongo.MongoClient(uri, {
    appName: 'latchkey-migrate',
    maxPoolSize: 2,
    readPreference: 'primary',
    readConcernLevel: 'majority',
    w: 'majority',
    journal: true,
    retryWrites: true,
    connectTimeoutMS: SELECT_SERVER_MS,
    serverSelectionTimeoutMS: SELECT_SERVER_MS,
    socketTimeoutMS: 0,
    serverApi: { version: '1', strict: true },
  });
  try {
    await client.connect();
    return await new Migrator(client.db(), migrations, say).run();
  } finally {
    await client.close().catch(() => undefined);
  }
}

/** An error that says what to do, if the fault is permanent. */
function permanentFault(error: unknown): MigrationError | undefined {
  if (error instanceof MigrationError) return error;
  if (!(error instanceof Error)) return undefined;
  const because = (text: string): MigrationError => new MigrationError(`${text} (${error.message})`, { cause: error });
  if (hasCode(error, CODE.authenticationFailed)) return because('The database rejects the user name or the password.');
  if (hasCode(error, CODE.unauthorized)) {
    return because('The database user lacks a privilege. See docs/database-user.md for the role that migrations need.');
  }
  if (
    hasCode(error, CODE.cannotCreateIndex, CODE.indexOptionsConflict, CODE.indexKeySpecsConflict, CODE.duplicateKey)
  ) {
    return because(
      'An index cannot be created as this version needs it. Correct the cause and run the migration again.',
    );
  }
  return undefined;
}
