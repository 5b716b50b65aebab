import mongoose from 'mongoose';
import type { Model } from 'mongoose';
import { migrations, verifyDatabase } from '#migrations';
import type { IndexSpec } from '#migrations';
import { checkLayout, checkServer, isRouter } from './deployment.ts';
import { STORE_OPTIONS } from './store-options.ts';

/** The time limit for one answer and for the wait for a primary. */
const ROUND_TRIP_MS = 2_000;

/**
 * Checks deployment and database layout over a separate connection. Until then the service's connection stays closed,
 * so that nothing is served from a database that was not migrated.
 *
 * @param models the collections and indexes that the code relies on
 * @throws UnfitDeployment, DatabaseNotMigrated, or an error of the driver while the database cannot be reached
 */
export async function verifyLayout(uri: string, models: readonly Model<never>[]): Promise<void> {
  const client = new mongoose.mongo.MongoClient(uri, {
    appName: 'latchkey-verify',
    maxPoolSize: 4,
    ...STORE_OPTIONS,
    serverSelectionTimeoutMS: ROUND_TRIP_MS,
    connectTimeoutMS: ROUND_TRIP_MS,
    socketTimeoutMS: ROUND_TRIP_MS,
  });
  try {
    await client.connect();
    const server = await client.db().command({ hello: 1 });
    checkServer(server);
    const layout = models.map((model) => [model.collection.name, indexesOf(model)] as const);
    await verifyDatabase(client.db(), Object.fromEntries(layout), migrations);
    if (isRouter(server)) await verifyPlacement(client.db(), models);
  } finally {
    await client.close().catch(() => undefined);
  }
}

/** @throws UnfitDeployment when the collections are not together on one shard */
async function verifyPlacement(db: mongoose.mongo.Db, models: readonly Model<never>[]): Promise<void> {
  const placements = models.map(async ({ collection: { name } }) => ({
    collection: name,
    explained: await db.command({ explain: { find: name }, verbosity: 'queryPlanner' }),
  }));
  checkLayout(await Promise.all(placements));
}

function indexesOf({ schema }: Model<never>): IndexSpec[] {
  return schema.indexes().map(([key, options]) => ({ ...options, key }) as IndexSpec);
}
