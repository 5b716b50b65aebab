import type { Document } from 'bson';

/**
 * An error as MongoDB answers it: a number, its name, a message, and the labels that tell drivers what may be retried.
 */
export class MongoError extends Error {
  readonly code: number;
  readonly codeName: string;
  readonly labels: readonly string[];
  /** further members of the reply */
  readonly detail: Document;

  constructor(code: number, codeName: string, message: string, labels: readonly string[] = [], detail: Document = {}) {
    super(message);
    this.name = 'MongoError';
    this.code = code;
    this.codeName = codeName;
    this.labels = labels;
    this.detail = detail;
  }
}

/** Drivers run the whole transaction again on this label. */
export const TRANSIENT = 'TransientTransactionError';
/** Drivers send the commit again on this label. */
export const COMMIT_UNKNOWN = 'UnknownTransactionCommitResult';
/** Drivers send the write again, once, on this label. */
export const RETRYABLE_WRITE = 'RetryableWriteError';

export const WRITE_CONFLICT = 112;
export const DUPLICATE_KEY = 11000;

interface Known {
  readonly code: number;
  readonly name: string;
}

const CONFLICT: Known = { code: WRITE_CONFLICT, name: 'WriteConflict' };

/** SQLSTATE → MongoDB's error. `M…` are the extension's own, see its `error_mappings`. */
const bySqlState = new Map<string, Known>(
  (
    [
      ['23505', DUPLICATE_KEY, 'DuplicateKey'],
      ['23P01', DUPLICATE_KEY, 'DuplicateKey'],
      ['M001C', DUPLICATE_KEY, 'DuplicateKey'],
      ['40001', WRITE_CONFLICT, 'WriteConflict'],
      ['40P01', WRITE_CONFLICT, 'WriteConflict'],
      ['55P03', WRITE_CONFLICT, 'WriteConflict'],
      ['M00F1', WRITE_CONFLICT, 'WriteConflict'],
      ['25P03', 251, 'NoSuchTransaction'],
      ['57014', 50, 'MaxTimeMSExpired'],
      ['42P01', 26, 'NamespaceNotFound'],
      ['0A000', 115, 'CommandNotSupported'],
      ['M0001', 2, 'BadValue'],
      ['M0003', 9, 'FailedToParse'],
      ['M0004', 14, 'TypeMismatch'],
      ['M0006', 20, 'IllegalOperation'],
      ['M0008', 26, 'NamespaceNotFound'],
      ['M0009', 27, 'IndexNotFound'],
      ['M000A', 28, 'PathNotViable'],
      ['M000D', 40, 'ConflictingUpdateOperators'],
      ['M000E', 43, 'CursorNotFound'],
      ['M000F', 48, 'NamespaceExists'],
      ['M000G', 52, 'DollarPrefixedFieldName'],
      ['M000M', 66, 'ImmutableField'],
      ['M000N', 67, 'CannotCreateIndex'],
      ['M000P', 72, 'InvalidOptions'],
      ['M000Q', 73, 'InvalidNamespace'],
      ['M000R', 85, 'IndexOptionsConflict'],
      ['M000S', 86, 'IndexKeySpecsConflict'],
      ['M000U', 115, 'CommandNotSupported'],
      ['M0016', 263, 'OperationNotSupportedInTransaction'],
      ['M00CO', 121, 'DocumentValidationFailure'],
      ['M007U', 40324, 'UnrecognizedCommand'],
    ] as const
  ).map(([state, code, name]) => [state, { code, name }]),
);

/**
 * PostgreSQL's packing of an SQLSTATE into an integer, six bits a character: so the extension numbers the errors of
 * single documents inside a result.
 * @param state five characters
 * @returns the packed number
 */
export function packSqlState(state: string): number {
  let packed = 0;
  for (let i = 0; i < 5; i++) packed += ((state.charCodeAt(i) - 48) & 0x3f) << (6 * i);
  return packed;
}

const byPacked = new Map([...bySqlState].map(([state, known]) => [packSqlState(state), known]));

/** A write error of one document, as MongoDB numbers it; unknown numbers are left as they are. */
export function mongoCodeOf(packed: number): number {
  return byPacked.get(packed)?.code ?? packed;
}

interface PostgresFault {
  readonly code: string;
  readonly message: string;
}

/** What was thrown, as far as it matters: by its members, for Node's own errors may be of another realm. */
function faultOf(error: unknown): PostgresFault {
  const { code, message } = Object(error) as { code?: unknown; message?: unknown };
  return {
    code: typeof code === 'string' ? code : '',
    message: typeof message === 'string' ? message : String(error),
  };
}

/** Two made the same collection, or database, at the same time; the extension has no code of its own for it. */
const CREATION_RACE = /^Unable to create (the specified collection|metadata database sentinel)/;
/**
 * PostgreSQL ends a wait for a lock by sending itself the signal that also cancels statements; if the lock is had in
 * that moment, it takes the signal for somebody's wish. Nobody else sends it here.
 */
const LATE_LOCK_TIMEOUT = /^canceling statement due to user request/;

/** True where the statement lost against another one and had no effect: it may be run again. */
export function isConflict(error: unknown): boolean {
  const { code, message } = faultOf(error);
  if (code === '40001' || code === '40P01') return true;
  return CREATION_RACE.test(message) || (code === '57014' && LATE_LOCK_TIMEOUT.test(message));
}

/** True for what a driver is told to be a write conflict. */
export function isWriteConflict(error: unknown): boolean {
  return toMongoError(error, true).code === WRITE_CONFLICT;
}

/** PostgreSQL ended the connection and said so, or could not be reached: nothing of the statement was kept. */
function refusedByShutdown(fault: PostgresFault): boolean {
  return /^(57P0[1235]|ECONNREFUSED|ENOENT|53300)$/.test(fault.code);
}

/** The connection broke without a word: whether the statement was kept is not known. */
function brokeOff(fault: PostgresFault): boolean {
  return (
    /^(08...|ECONN\w+|EPIPE)$/.test(fault.code) || /connection (error|terminated)|not queryable/i.test(fault.message)
  );
}

/** True if PostgreSQL is gone or going, so that the connection must not go back to the pool. */
export function isGone(error: unknown): boolean {
  const fault = faultOf(error);
  return refusedByShutdown(fault) || brokeOff(fault) || fault.code === '25P03';
}

/**
 * The error reply for whatever a command threw.
 * @param error what was thrown
 * @param inTransaction whether the command belonged to a transaction, which is then over
 * @returns a reply document with `ok: 0`, `code`, `codeName`, `errmsg` and, where it applies, `errorLabels`
 */
export function toErrorReply(error: unknown, inTransaction: boolean): Document {
  const { code, codeName, message, labels, detail } = toMongoError(error, inTransaction);
  return { ok: 0, errmsg: message, code, codeName, ...detail, ...(labels.length > 0 ? { errorLabels: labels } : {}) };
}

function toMongoError(error: unknown, inTransaction: boolean): MongoError {
  if (error instanceof MongoError) return error;
  const fault = faultOf(error);
  const gone = refusedByShutdown(fault);
  if (gone || brokeOff(fault)) {
    // what a MongoDB server that is shutting down would answer: drivers look for another one
    const labels = inTransaction ? [TRANSIENT] : gone ? [RETRYABLE_WRITE] : [];
    return new MongoError(11600, 'InterruptedAtShutdown', fault.message, labels);
  }
  if (/timeout exceeded when trying to connect/.test(fault.message)) {
    return new MongoError(
      202,
      'NetworkInterfaceExceededTimeLimit',
      'no database connection became free',
      inTransaction ? [TRANSIENT] : [],
    );
  }
  const known = isConflict(error) ? CONFLICT : bySqlState.get(fault.code);
  if (!known) return new MongoError(1, 'InternalError', fault.message);
  const transient = inTransaction && (known.code === WRITE_CONFLICT || known.code === 251);
  return new MongoError(known.code, known.name, fault.message, transient ? [TRANSIENT] : []);
}
