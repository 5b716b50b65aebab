import mongoose from 'mongoose';
import { DomainError } from '#kernel';
import { NOT_NOW_CODES, NOT_NOW_LABELS } from './not-now-codes.ts';
import { withinDeadline } from './deadline.ts';

const { mongo } = mongoose;

/** What to wait before asking again, in seconds, when the store cannot serve. */
const RETRY_AFTER_SECONDS = 2;

/** Codes of Node's own errors for a socket that cannot be written to any more. */
const SOCKET_GONE = ['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END'];

/** Thrown inside a transaction to have it tried again from the start. */
export class TransactionConflict extends Error {
  override readonly name = 'TransactionConflict';
}

/** Whether the error is a breach of a unique index (code 11000), and if `index` is given, of that one. */
export function isDuplicateKey(error: unknown, index?: string): boolean {
  if (!(error instanceof mongo.MongoServerError) || error.code !== 11000) return false;
  // only the index's name: the message goes on with the values, which may name anything
  return index === undefined || /\bindex: (\S+)/.exec(error.message)?.[1] === index;
}

/** Whether a transaction that met this error may succeed when it is run again from the start. */
export function isTransient(error: unknown): boolean {
  if (error instanceof TransactionConflict) return true;
  return error instanceof mongo.MongoError && error.hasErrorLabel('TransientTransactionError');
}

/** Whether it is not known if a commit took place. */
export function isCommitUnknown(error: unknown): boolean {
  return error instanceof mongo.MongoError && error.hasErrorLabel('UnknownTransactionCommitResult');
}

/** Whether the connection was lost before the store's answer came. */
export function isConnectionLost(thrown: unknown): boolean {
  const error = unwrapped(thrown);
  if (error instanceof mongo.MongoNetworkError) return true;
  // a socket that the other side has just ended: the driver passes on as it is what writing to it throws
  return error instanceof Error && 'code' in error && SOCKET_GONE.includes(String(error.code));
}

/** The driver puts also what is no answer of the store into the error of a bulk write, as if it were one. */
function unwrapped(error: unknown): unknown {
  if (!(error instanceof mongo.MongoBulkWriteError)) return error;
  const met: unknown = error.errorResponse;
  return met instanceof Error ? met : error;
}

/** Whether the error says that the store is away, too slow or shutting down. */
export function isStoreUnavailable(thrown: unknown): boolean {
  const error = unwrapped(thrown);
  if (error instanceof DomainError) return error.code === 'store-unavailable';
  if (!(error instanceof Error)) return false;
  if (isConnectionLost(error) || error instanceof mongo.MongoServerSelectionError) return true;
  if (error instanceof mongo.MongoServerError) return isNotNow(error);
  return (
    // the remaining errors of the driver itself: pools cleared, clients closed, waits ended
    error instanceof mongo.MongoError || error.name === 'MongooseError' || error.name === 'MongooseServerSelectionError'
  );
}

function isNotNow(error: mongoose.mongo.MongoServerError): boolean {
  if (error instanceof mongo.MongoWriteConcernError || NOT_NOW_CODES.has(Number(error.code))) return true;
  return NOT_NOW_LABELS.some((label) => error.hasErrorLabel(label));
}

/** The 503 that every caller gets while the store cannot serve. */
export function storeUnavailable(cause?: unknown): DomainError {
  return new DomainError(
    'store-unavailable',
    // an answer that came too late, or got lost, may have been that a change was made
    'The store cannot serve at the moment; try again. Look first whether a change that you asked for was made after all.',
    {
      retryAfterSeconds: RETRY_AFTER_SECONDS,
      cause,
      privateDetail: cause instanceof Error ? cause.message : 'timed out',
    },
  );
}

/** The commit went out, and its answer did not come back: it may have been done, or not. */
function unconfirmed(cause: Error): DomainError {
  return new DomainError(
    'store-unavailable',
    'The store did not confirm the change: it may have been made or not. Read before you try again, or send an Idempotency-Key.',
    { retryAfterSeconds: RETRY_AFTER_SECONDS, cause, privateDetail: cause.message },
  );
}

/** Turns the driver's errors for an absent store into `store-unavailable`; others pass unchanged. */
export function asDomainError(error: unknown): unknown {
  if (error instanceof DomainError) return error;
  const isUnconfirmed =
    error instanceof mongo.MongoWriteConcernError ||
    (error instanceof mongo.MongoError && error.hasErrorLabel('UnknownTransactionCommitResult'));
  if (isUnconfirmed) return unconfirmed(error);
  return isStoreUnavailable(error) || isTransient(error) ? storeUnavailable(error) : error;
}

/**
 * Waits for a store operation, but not for ever: the driver's own time-outs bound a single round trip,
 * this bounds what the caller waits for, retries included.
 *
 * @param limitMs milliseconds
 * @throws DomainError `store-unavailable` when the time is up or the store is away
 */
export async function bounded<T>(work: Promise<T>, limitMs = STORE_DEADLINE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(storeUnavailable()), Math.max(0, withinDeadline(limitMs)));
  });
  try {
    return await Promise.race([work, deadline]);
  } catch (error) {
    throw asDomainError(error);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined); // whoever waited has been answered already
  }
}

/** What one call may spend in the store, in milliseconds: its caller is answered within three seconds. */
export const STORE_DEADLINE_MS = 2_500;
