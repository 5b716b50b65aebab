import type { Command } from './command.ts';
import { RETRYABLE_WRITE, TRANSIENT } from './errors.ts';

// MongoDB's categories of error codes (src/mongo/base/error_codes.yml) as error_labels.cpp uses them.
/** The node is not the primary, or is shutting down, or cannot be reached; and ExceededTimeLimit (262). */
const RETRYABLE = new Set([6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436]);
/**
 * LockTimeout, WriteConflict, SnapshotTooOld, SnapshotUnavailable, PreparedTransactionInProgress, stale shard versions.
 */
const TRANSIENT_CODES = new Set([24, 112, 239, 246, 249, 267, 13388]);
const NO_SUCH_TRANSACTION = 251;
/** ReadConcernMajorityNotAvailableYet, which MongoDB retries in a transaction like the retryable ones. */
const RETRYABLE_IN_TRANSACTION = new Set([...RETRYABLE, 134, NO_SUCH_TRANSACTION]);

/** The labels that MongoDB puts on an error of this code, given the command that met it. */
export function errorLabels(code: number, command: Pick<Command, 'name' | 'inTransaction' | 'txnNumber'>): string[] {
  const ends = command.name === 'commitTransaction' || command.name === 'abortTransaction';
  if (ends) {
    if (RETRYABLE.has(code)) return [RETRYABLE_WRITE];
    return TRANSIENT_CODES.has(code) || code === NO_SUCH_TRANSACTION ? [TRANSIENT] : [];
  }
  if (command.inTransaction) return TRANSIENT_CODES.has(code) || RETRYABLE_IN_TRANSACTION.has(code) ? [TRANSIENT] : [];
  return command.txnNumber !== null && RETRYABLE.has(code) ? [RETRYABLE_WRITE] : [];
}
