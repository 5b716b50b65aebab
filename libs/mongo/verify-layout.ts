import mongoose from 'mongoose';
import type { Model } from 'mongoose';
import { migrations, verifyDatabase } from '#migrations';
import type { IndexSpec } from '#migrations';

/** How long one answer, or the wait for a primary, may take, in milliseconds. */
const ROUND_TRIP_MS = 2_000;

/**
 * Checks that the database is as this version needs it, over a connection of its own: until then the service's connection stays closed,
 * so that nothing at all can be served from a database that was not migrated.
 *
 * @param models the collections and indexes that the code relies on
 * @throws DatabaseNotMigrated, or what the driver throws while the database cannot be reached
 */
export async function verifyLayout(uri: string, models: readonly Model<never>[]): Promise<void> {
  const client = new mongoose.mongo.MongoClient(uri, {
    appName: 'latchkey-verify',
    maxPoolSize: 4,
    readPreference: 'primary',
    serverSelectionTimeoutMS: ROUND_TRIP_MS,
    connectTimeoutMS: ROUND_TRIP_MS,
    socketTimeoutMS: ROUND_TRIP_MS,
  });
  try {
    await client.connect();
    const layout = models.map((model) => [model.collection.name, indexesOf(model)] as const);
    await verifyDatabase(client.db(), Object.fromEntries(layout), migrations);
  } finally {
    await client.close().catch(() => undefined);
  }
}

function indexesOf({ schema }: Model<never>): IndexSpec[] {
  return schema.indexes().map(([key, options]) => ({ ...options, key }) as IndexSpec);
}
