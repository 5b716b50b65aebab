import mongoose from 'mongoose';
import { DomainError } from '#kernel';
import { NOT_NOW_CODES, NOT_NOW_LABELS } from './not-now-codes.ts';
import { withinDeadline } from './deadline.ts';

const { mongo } = mongoose;

/** `Retry-After` while the store is unavailable, in seconds. */
const RETRY_AFTER_SECONDS = 2;

/** Codes of Node's errors for a closed socket. */
const SOCKET_GONE = ['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END'];

/** Thrown inside a transaction to retry it from the start. */
export class TransactionConflict extends Error {
  override readonly name = 'TransactionConflict';
}

/** Whether the error violates a unique index (code 11000): any one, or `index` if given. */
export function isDuplicateKey(error: unknown, index?: string): boolean {
  if (!(error instanceof mongo.MongoServerError) || error.code !== 11000) return false;
  // compares only the index name: the rest of the message has values, which may be any text
  return index === undefined || /\bindex: (\S+)/.exec(error.message)?.[1] === index;
}

/** Whether a transaction with this error may succeed when it is retried from the start. */
export function isTransient(error: unknown): boolean {
  if (error instanceof TransactionConflict) return true;
  return error instanceof mongo.MongoError && error.hasErrorLabel('TransientTransactionError');
}

/** Whether it is unknown if a commit took place. */
export function isCommitUnknown(error: unknown): boolean {
  return error instanceof mongo.MongoError && error.hasErrorLabel('UnknownTransactionCommitResult');
}

/** Whether the connection was lost before the answer arrived. */
export function isConnectionLost(thrown: unknown): boolean {
  const error = unwrapped(thrown);
  if (error instanceof mongo.MongoNetworkError) return true;
  // the driver passes on Node's error for a socket that the other side has just closed
  return error instanceof Error && 'code' in error && SOCKET_GONE.includes(String(error.code));
}

/** The error of a bulk write may contain a network error as if it were an answer of the store. */
function unwrapped(error: unknown): unknown {
  if (!(error instanceof mongo.MongoBulkWriteError)) return error;
  const met: unknown = error.errorResponse;
  return met instanceof Error ? met : error;
}

/** Whether the error means that the store is unavailable, too slow or shutting down. */
export function isStoreUnavailable(thrown: unknown): boolean {
  const error = unwrapped(thrown);
  if (error instanceof DomainError) return error.code === 'store-unavailable';
  if (!(error instanceof Error)) return false;
  if (isConnectionLost(error) || error instanceof mongo.MongoServerSelectionError) return true;
  if (error instanceof mongo.MongoServerError) return isNotNow(error);
  return (
    // other errors of the driver itself: cleared pools, closed clients, timeouts
    error instanceof mongo.MongoError || error.name === 'MongooseError' || error.name === 'MongooseServerSelectionError'
  );
}

function isNotNow(error: mongoose.mongo.MongoServerError): boolean {
  if (error instanceof mongo.MongoWriteConcernError || NOT_NOW_CODES.has(Number(error.code))) return true;
  return NOT_NOW_LABELS.some((label) => error.hasErrorLabel(label));
}

/** The error for callers while the store is unavailable. */
export function storeUnavailable(cause?: unknown): DomainError {
  return new DomainError(
    'store-unavailable',
    // a lost or late answer may have confirmed a change
    'The store is unavailable. Before you retry a change, check whether it was made, or send an Idempotency-Key.',
    {
      retryAfterSeconds: RETRY_AFTER_SECONDS,
      cause,
      privateDetail: cause instanceof Error ? cause.message : 'timed out',
    },
  );
}

/** The error for a commit without an answer: it may have taken place or not. */
function unconfirmed(cause: Error): DomainError {
  return new DomainError(
    'store-unavailable',
    'The store did not confirm the change, so it may have been made or not. Check before you retry, or send an Idempotency-Key.',
    { retryAfterSeconds: RETRY_AFTER_SECONDS, cause, privateDetail: cause.message },
  );
}

/** Converts the driver's errors for an unavailable store into `store-unavailable`. Returns others unchanged. */
export function asDomainError(error: unknown): unknown {
  if (error instanceof DomainError) return error;
  const isUnconfirmed =
    error instanceof mongo.MongoWriteConcernError ||
    (error instanceof mongo.MongoError && error.hasErrorLabel('UnknownTransactionCommitResult'));
  if (isUnconfirmed) return unconfirmed(error);
  return isStoreUnavailable(error) || isTransient(error) ? storeUnavailable(error) : error;
}

/**
 * Limits the wait for a store operation, including retries. The driver's own timeouts limit single round trips only.
 *
 * @param limitMs the limit, in milliseconds
 * @throws DomainError `store-unavailable` after the limit, or if the store is unavailable
 */
export async function bounded<T>(work: Promise<T>, limitMs = STORE_DEADLINE_MS): Promise<T> {
  const running = Promise.resolve(work); // a query of mongoose runs again with each `then` or `catch`
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(storeUnavailable()), Math.max(0, withinDeadline(limitMs)));
  });
  try {
    return await Promise.race([running, deadline]);
  } catch (error) {
    throw asDomainError(error);
  } finally {
    clearTimeout(timer);
    running.catch(() => undefined); // the caller has been answered already
  }
}

/** The time limit for store operations of one call, in milliseconds. Callers are answered within three seconds. */
export const STORE_DEADLINE_MS = 2_500;
