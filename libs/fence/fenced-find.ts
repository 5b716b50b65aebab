import mongoose from 'mongoose';
import type { Connection, mongo } from 'mongoose';
import { isStoreUnavailable, storeUnavailable } from '#mongo';
import type { ClusterTime } from './fenced-state.ts';

/**
 * The server's time limit for a deciding read, in milliseconds. Without it, a deposed primary would hold the read and
 * its connection until it notices.
 */
export const MAX_READ_MS = 1_000;

/** InvalidOptions: the server has not reached the floor, and knows of no oplog entry that will reach it. */
const FLOOR_NOT_REACHED = 72;
const MAX_TIME_EXPIRED = 50;

/** The parts of a reply that are used. */
interface Reply {
  readonly operationTime?: ClusterTime;
  readonly cursor?: { readonly id: unknown; readonly firstBatch: mongo.Document[] };
}

/** The parts of a model that a read needs. */
export interface FencedCollection {
  readonly db: Connection;
  readonly collection: { readonly name: string };
}

export interface FencedQuery {
  readonly filter: mongo.Document;
  readonly projection?: mongo.Document;
  readonly sort?: mongo.Document;
  /** The maximum number of documents that can match. */
  readonly atMost: number;
}

/** Documents, and the time of the snapshot from which they were read, or a later one. */
export interface FencedDocuments {
  readonly documents: mongo.Document[];
  readonly readAt: ClusterTime;
}

/**
 * Finds documents as of `floor` or later, in a majority-committed snapshot. Uses `db.command`, because the driver's
 * `find` silently drops `afterClusterTime`.
 *
 * @throws DomainError `store-unavailable` when the server does not answer in time
 */
export async function findAfter(
  floor: ClusterTime,
  model: FencedCollection,
  { filter, projection = {}, sort, atMost }: FencedQuery,
): Promise<FencedDocuments> {
  const command = {
    find: model.collection.name,
    filter,
    projection,
    ...(sort === undefined ? {} : { sort }),
    limit: atMost,
    // more than can match, so that the first batch is the last
    batchSize: atMost + 1,
    readConcern: { level: 'majority', afterClusterTime: floor },
    maxTimeMS: MAX_READ_MS,
  };
  const { cursor, operationTime } = await retriedOnce(() => storeCommand(model.db, command));
  if (cursor === undefined || operationTime === undefined) throw storeUnavailable(new Error('not a replica set'));
  // documents left in the cursor would seem not to exist
  if (String(cursor.id) !== '0') throw new Error(`${model.collection.name}: more than ${atMost} documents`);
  return { documents: cursor.firstBatch, readAt: operationTime };
}

/** Sends a command to the primary. @throws DomainError `store-unavailable`, what the driver throws */
export async function storeCommand(connection: Connection, command: mongo.Document): Promise<Reply> {
  const { db } = connection;
  if (db === undefined) throw storeUnavailable();
  try {
    return await db.command(command);
  } catch (error) {
    if (codeOf(error) === FLOOR_NOT_REACHED) throw storeUnavailable(error);
    throw error;
  }
}

/** Retries once after a step-down, as the driver does for its own reads, but not for commands. */
async function retriedOnce(read: () => Promise<Reply>): Promise<Reply> {
  try {
    return await read();
  } catch (error) {
    const code = codeOf(error instanceof Error && error.cause !== undefined ? error.cause : error);
    if (!isStoreUnavailable(error) || code === FLOOR_NOT_REACHED || code === MAX_TIME_EXPIRED) throw error;
    return read();
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof mongoose.mongo.MongoServerError ? error.code : undefined;
}
