/**
 * MongoDB error codes that mean "not now": the request is correct and may succeed later. Sources: driver specifications
 * (SDAM, retryable reads, retryable writes) and MongoDB's error_codes.yml.
 */
export const NOT_NOW_CODES: ReadonlySet<number> = new Set([
  // the node is not the primary, or is starting, stepping down or shutting down (SDAM)
  10058, 10107, 13435, 11600, 11602, 13436, 189, 91,
  // the node cannot reach another one in time (retryable reads and writes)
  6, 7, 89, 9001, 262, 202, 384,
  // ReadConcernMajorityNotAvailableYet, FailedToSatisfyReadPreference, UnsatisfiableWriteConcern, WriteConcernTimeout
  134, 133, 100, 64,
  // the operation was ended: MaxTimeMSExpired, Interrupted, CursorNotFound, QueryPlanKilled, CursorKilled
  50, 11601, 43, 175, 237,
  // LockTimeout, WriteConflict, TransactionTooOld, SnapshotTooOld, SnapshotUnavailable, NoSuchTransaction,
  // PreparedTransactionInProgress, TransactionExceededLifetimeLimitSeconds
  24, 112, 225, 239, 246, 251, 267, 290,
  // the shards are moving: StaleEpoch, StaleDbVersion, StaleConfig
  150, 249, 13388,
  // overloaded: TemporarilyUnavailable, IngressRequestRateLimitExceeded
  365, 462,
]);

/** Labels of errors that mean the same, for any code. */
export const NOT_NOW_LABELS = [
  'TransientTransactionError',
  'RetryableWriteError',
  'RetryableError',
  'SystemOverloadedError',
] as const;
