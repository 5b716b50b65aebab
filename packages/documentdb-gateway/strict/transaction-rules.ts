import type { Command } from '../command.ts';
import { MongoError } from '../errors.ts';

const SYSTEM_DATABASES: readonly string[] = ['admin', 'config', 'local'];
/** Commands that mongod does not run in a transaction, as far as the stand-in has them. */
const FORBIDDEN: ReadonlySet<string> = new Set([
  'count',
  'listCollections',
  'listIndexes',
  'listDatabases',
  'collStats',
  'dbStats',
  'collMod',
  'drop',
  'dropDatabase',
  'dropIndexes',
  'renameCollection',
  'explain',
  'killCursors',
  'validate',
]);
const CREATING: ReadonlySet<string> = new Set(['create', 'createIndexes']);
const FINISHING: ReadonlySet<string> = new Set(['commitTransaction', 'abortTransaction']);

/**
 * Refuses what a transaction cannot do.
 * @throws MongoError 263
 */
export function checkInTransaction({ name, db, inTransaction, startTransaction, options }: Command): void {
  if (!inTransaction || FINISHING.has(name)) return;
  if (SYSTEM_DATABASES.includes(db)) throw notSupported(`Cannot run '${name}' in a transaction on the database ${db}`);
  // killing cursors is only forbidden as the first statement
  if (FORBIDDEN.has(name) && (name !== 'killCursors' || startTransaction)) {
    throw notSupported(`Cannot run '${name}' in a multi-document transaction.`);
  }
  if (startTransaction && CREATING.has(name) && options.readConcern?.['level'] === 'snapshot') {
    throw notSupported(`Cannot run '${name}' in a transaction with read concern snapshot`);
  }
}

function notSupported(message: string): MongoError {
  return new MongoError(263, 'OperationNotSupportedInTransaction', message);
}
