import type { Command } from './command.ts';
import { MongoError, RETRYABLE_WRITE, TRANSIENT } from './errors.ts';
import { topologyVersionOf } from './topology/hello.ts';

/** Commands that change the database, outside of transactions. */
const CHANGES = new Set([
  'insert',
  'update',
  'delete',
  'findAndModify',
  'findandmodify',
  'create',
  'createIndexes',
  'collMod',
  'drop',
  'dropIndexes',
  'dropDatabase',
  'renameCollection',
]);
const READS = new Set([
  'find',
  'aggregate',
  'count',
  'distinct',
  'listCollections',
  'listIndexes',
  'explain',
  'dbStats',
]);
/** What a member answers whatever its state is. */
const ALWAYS = new Set(['hello', 'ismaster', 'isMaster']);

/** Codes by which a member says that another one has to be asked. */
const STATE_CODES = new Set([91, 189, 10107, 11600, 11602, 13435, 13436]);

/** Whether a command adds an entry to the log when it has succeeded. */
export function isChange(command: Command): boolean {
  if (command.name === 'commitTransaction') return true;
  return !command.inTransaction && CHANGES.has(command.name);
}

/** Whether the operation goes on while its member becomes a secondary: it holds no lock and waits for no majority. */
export function survivesStepDown(command: Command): boolean {
  if (command.inTransaction) return false;
  return !isChange(command) && command.options.readConcern?.['level'] !== 'linearizable';
}

/**
 * Refuses what a member in its present state does not serve.
 * @throws MongoError 10107, 13435, 20 or 91
 */
export function admit(command: Command): void {
  const { member, view } = command.connection.endpoint;
  if (ALWAYS.has(command.name)) return;
  if (member.state === 'shutting-down') {
    throw new MongoError(91, 'ShutdownInProgress', 'The server is in quiesce mode and will shut down');
  }
  if (view.set.persona === 'standalone' && command.txnNumber !== null) {
    const message = 'Transaction numbers are only allowed on a replica set member or mongos';
    throw new MongoError(20, 'IllegalOperation', message);
  }
  if (member.state === 'primary') return;
  if (command.inTransaction || isChange(command) || command.options.readConcern?.['level'] === 'linearizable') {
    throw new MongoError(10107, 'NotWritablePrimary', 'not primary');
  }
  if (READS.has(command.name) && command.options.readPreference === 'primary') {
    throw new MongoError(13435, 'NotPrimaryNoSecondaryOk', 'not primary and secondaryOk=false');
  }
}

/** Adds to these codes what mongod does: the label that allows a retry elsewhere, and how new the news is. */
export function labelled(error: unknown, command: Command | null): unknown {
  if (!(error instanceof MongoError) || !STATE_CODES.has(error.code) || command === null) return error;
  const label = stateLabel(command);
  const labels = error.labels.length > 0 || label === null ? error.labels : [label];
  const detail = { ...error.detail, topologyVersion: topologyVersionOf(command.connection.endpoint.member) };
  return new MongoError(error.code, error.codeName, error.message, labels, detail);
}

function stateLabel({ name, txnNumber, inTransaction }: Command): string | null {
  if (txnNumber === null) return null;
  const finishes = name === 'commitTransaction' || name === 'abortTransaction';
  return inTransaction && !finishes ? TRANSIENT : RETRYABLE_WRITE;
}
