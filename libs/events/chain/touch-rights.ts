import mongoose from 'mongoose';
import { CHAIN_HEADS, leaseRunOut } from '#mongo';
import type { ChainHeadDocument } from '../log/event.schema.ts';
import { unloggedRights } from './rights-changes.ts';

const REACHED_WITHIN_MS = 10_000;

/**
 * Changes the rights version of one operation, of the platform (`platform`) or of all, for changes that were made in the database by
 * hand. Returns when no instance goes by what it remembered before.
 *
 * @param scope undefined for all
 * @returns how many there were
 * @throws MongoError when the database cannot be reached
 */
export async function touchRights(uri: string, scope: string | undefined): Promise<number> {
  const client = new mongoose.mongo.MongoClient(uri, {
    appName: 'latchkey touch-rights',
    serverSelectionTimeoutMS: REACHED_WITHIN_MS,
    socketTimeoutMS: REACHED_WITHIN_MS,
  });
  try {
    const heads = client.db().collection<ChainHeadDocument>(CHAIN_HEADS, { writeConcern: { w: 'majority' } });
    const value = unloggedRights();
    const $set = { rights: value, ended: value };
    const { matchedCount } = await heads.updateMany(scope === undefined ? {} : { _id: scope }, { $set });
    await leaseRunOut(performance.now());
    return matchedCount;
  } finally {
    await client.close();
  }
}
