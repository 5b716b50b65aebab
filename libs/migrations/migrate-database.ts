import { setTimeout as pause } from 'node:timers/promises';
import mongoose from 'mongoose';
import { RepeatedNotice } from '#observability';
import { CODE, hasCode } from './error-code.ts';
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
  /** Gets a line of progress. */
  readonly say: (line: string) => void;
  /** How long to wait for the store altogether while it cannot be reached, in milliseconds. */
  readonly waitMs: number;
}

/**
 * Brings a database to this version. A lost connection or a new primary is waited for, and the step begins again.
 *
 * @returns how many migrations ran
 * @throws MigrationError when waiting does not help, StoreUnreachable after `waitMs` without the store
 */
export async function migrateDatabase({ uri, migrations, say, waitMs }: MigrationRun): Promise<number> {
  let sinceMs = performance.now();
  const saying = (line: string): void => {
    sinceMs = performance.now(); // progress: the store answers
    say(line);
  };
  const waiting = new RepeatedNotice(say);
  for (;;) {
    try {
      return await migrateOnce(uri, migrations, saying);
    } catch (error) {
      const permanent = permanentFault(error);
      if (permanent !== undefined) throw permanent;
      const reason = error instanceof Error ? error.message : String(error);
      if (performance.now() - sinceMs > waitMs) throw new StoreUnreachable(reason, { cause: error });
      waiting.give(`waiting for MongoDB: ${reason}`);
      await pause(RETRY_MS);
    }
  }
}

/**
 * A client of its own. It has no socket time-out: building an index of a large collection takes as long as it takes, and a driver that
 * gives up would send the command again and again.
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

/** The error as one that says what to do, when waiting does not help. */
function permanentFault(error: unknown): MigrationError | undefined {
  if (error instanceof MigrationError) return error;
  if (!(error instanceof Error)) return undefined;
  const because = (text: string): MigrationError => new MigrationError(`${text} (${error.message})`, { cause: error });
  if (hasCode(error, CODE.authenticationFailed)) return because('The database refuses the user name or the password.');
  if (hasCode(error, CODE.unauthorized)) {
    return because('The database user may not do this: see docs/database-user.md for the role that migrations need.');
  }
  if (
    hasCode(error, CODE.cannotCreateIndex, CODE.indexOptionsConflict, CODE.indexKeySpecsConflict, CODE.duplicateKey)
  ) {
    return because(
      'An index cannot be made as this version needs it. Nothing was served with it; correct the cause and run it again.',
    );
  }
  return undefined;
}
