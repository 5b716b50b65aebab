import { mongo } from 'mongoose';
import type { ClientSession, Model } from 'mongoose';
import { storeUnavailable } from './store-errors.ts';

/** One update of `updateAll`: as in MongoDB's command of that name. */
export interface Update {
  readonly q: mongo.Document;
  readonly u: mongo.Document;
}

/** Documents of one command: a command may be 16 MiB large, and none of ours comes near a hundredth of it. */
const MAX_DOCUMENTS = 100;

/**
 * Inserts the documents in order, in the session's transaction, where it is done all the time: the driver's bulk writes
 * measure each document before they serialize it, and take several times the time.
 *
 * @throws MongoServerError, of code 11000 when a unique index is in the way
 */
export async function insertAll<T>(model: Model<T>, documents: readonly T[], session: ClientSession): Promise<void> {
  for (let from = 0; from < documents.length; from += MAX_DOCUMENTS) {
    const part = documents.slice(from, from + MAX_DOCUMENTS);
    await command(model, { insert: model.collection.name, documents: part, ordered: true }, session);
  }
}

/** Updates by one command, in order. For the rest as `insertAll`. @returns how many documents were found */
export async function updateAll<T>(
  model: Model<T>,
  updates: readonly Update[],
  session: ClientSession,
): Promise<number> {
  return count(await command(model, { update: model.collection.name, updates: [...updates], ordered: true }, session));
}

/** Deletes what the filter says. For the rest as `insertAll`. @returns how many there were */
export async function deleteAll<T>(model: Model<T>, filter: mongo.Document, session: ClientSession): Promise<number> {
  return count(
    await command(model, { delete: model.collection.name, deletes: [{ q: filter, limit: 0 }], ordered: true }, session),
  );
}

/** Finds up to that many documents, as plain ones, in one answer. For the rest as `insertAll`. */
export async function findAll<T>(
  model: Model<T>,
  query: { readonly filter: mongo.Document; readonly projection: mongo.Document; readonly atMost: number },
  session: ClientSession,
): Promise<mongo.Document[]> {
  const { filter, projection, atMost } = query;
  const find = { find: model.collection.name, filter, projection, batchSize: atMost, singleBatch: true };
  return ((await command(model, find, session)) as { cursor: { firstBatch: mongo.Document[] } }).cursor.firstBatch;
}

async function command<T>(model: Model<T>, what: mongo.Document, session: ClientSession): Promise<mongo.Document> {
  const { db } = model.db;
  if (db === undefined) throw storeUnavailable();
  const answer = await db.command(what, { session });
  const [fault] = (answer as { writeErrors?: mongo.ErrorDescription[] }).writeErrors ?? [];
  if (fault !== undefined) throw new mongo.MongoServerError(fault);
  return answer;
}

function count(answer: mongo.Document): number {
  return (answer as { n: number }).n;
}
