import mongoose from 'mongoose';
import type { Connection, mongo } from 'mongoose';
import { isStoreUnavailable, storeUnavailable } from '#mongo';
import type { ClusterTime } from './fenced-state.ts';

/**
 * How long the server may take for a read that decides, in milliseconds. Without it a deposed primary would hold the
 * read, and the connection, for as long as it stays deposed.
 */
export const MAX_READ_MS = 1_000;

/** InvalidOptions: the server has not reached the floor, and no entry of its log is known to it that will. */
const FLOOR_NOT_REACHED = 72;
const MAX_TIME_EXPIRED = 50;

/** What is read of a reply. */
interface Reply {
  readonly operationTime?: ClusterTime;
  readonly cursor?: { readonly id: unknown; readonly firstBatch: mongo.Document[] };
}

/** A model, or as much of one as a read needs. */
export interface FencedCollection {
  readonly db: Connection;
  readonly collection: { readonly name: string };
}

export interface FencedQuery {
  readonly filter: mongo.Document;
  readonly projection?: mongo.Document;
  readonly sort?: mongo.Document;
  /** How many documents there can be. */
  readonly atMost: number;
}

/** Documents, and the time of the snapshot that they were read from, or later. */
export interface FencedDocuments {
  readonly documents: mongo.Document[];
  readonly readAt: ClusterTime;
}

/**
 * Finds documents as of `floor` or later, in a snapshot that a majority has. It is a command and not the driver's
 * `find`, which keeps the level of a read concern and silently drops `afterClusterTime`.
 *
 * @throws DomainError `store-unavailable` when the server cannot tell in time
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
    // one more than there can be, so that the first batch is the last
    batchSize: atMost + 1,
    readConcern: { level: 'majority', afterClusterTime: floor },
    maxTimeMS: MAX_READ_MS,
  };
  const { cursor, operationTime } = await retriedOnce(() => storeCommand(model.db, command));
  if (cursor === undefined || operationTime === undefined) throw storeUnavailable(new Error('not a replica set'));
  // what is left in the cursor would look as if it did not exist
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

/** As the driver does with its own reads, and not with commands: a step-down costs one attempt. */
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
