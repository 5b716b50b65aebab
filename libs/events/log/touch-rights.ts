import mongoose from 'mongoose';
import { chainName } from '#chain';
import { CHAIN_HEADS, leaseRunOut } from '#fence';
import type { ChainHeadDocument } from './event.schema.ts';
import { unloggedRights } from './rights-changes.ts';

const TIMEOUT_MS = 10_000;

/**
 * Changes the rights version of one operation, the platform (`platform`) or all, after manual changes in the database.
 * Returns once no instance uses older cached documents.
 *
 * @param scope undefined for all
 * @returns the number of changed scopes
 * @throws MongoError when the database cannot be reached
 */
export async function touchRights(uri: string, scope: string | undefined): Promise<number> {
  const client = new mongoose.mongo.MongoClient(uri, {
    appName: 'latchkey touch-rights',
    serverSelectionTimeoutMS: TIMEOUT_MS,
    socketTimeoutMS: TIMEOUT_MS,
  });
  try {
    const heads = client.db().collection<ChainHeadDocument>(CHAIN_HEADS, { writeConcern: { w: 'majority' } });
    const value = unloggedRights();
    const $set = { rights: value, ended: value };
    const { matchedCount } = await heads.updateMany(scope === undefined ? {} : { _id: chainName(scope) }, { $set });
    await leaseRunOut(performance.now());
    return matchedCount;
  } finally {
    await client.close();
  }
}
