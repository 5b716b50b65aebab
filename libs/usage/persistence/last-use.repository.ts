import { Injectable } from '@nestjs/common';
import { Schema } from 'mongoose';
import type { Model } from 'mongoose';
import { MongoStore, bounded } from '#mongo';
import type { HourUsage, Sighting } from '../domain/hour-usage.ts';
import { MAX_BATCH, RETENTION_SECONDS, ignoreDuplicates } from './bulk-writes.ts';

export type UsedKind = 'api' | 'address';

/** When a credential last called an API, or was last used from an address; to the hour. */
interface LastUseDocument {
  _id: string;
  credentialId: string;
  kind: UsedKind;
  value: string;
  lastSeenAt: Date;
}

const schema = new Schema<LastUseDocument>({
  _id: String,
  credentialId: String,
  kind: String,
  value: String,
  lastSeenAt: Date,
});
schema.index({ credentialId: 1, kind: 1, lastSeenAt: -1 }); // serves what credentials last used
schema.index({ lastSeenAt: 1 }, { expireAfterSeconds: RETENTION_SECONDS }); // removes what was not used for 90 days

interface NewUse {
  readonly sighting: Sighting;
  readonly document: LastUseDocument;
}

/** What credentials used, newest first. */
export type LastUses = ReadonlyMap<string, readonly { readonly value: string; readonly lastSeenAt: Date }[]>;

/**
 * One small document for each credential with each API and address, so that a question about 90 days need not add up
 * thousands of hours. Written once an hour for each, after the counts.
 */
@Injectable()
export class LastUseRepository {
  private readonly model: Model<LastUseDocument>;

  constructor(store: MongoStore) {
    this.model = store.model('last_uses', schema);
  }

  /** Writes what was seen for the first time in its hour. @throws DomainError `store-unavailable` */
  async note(hours: readonly HourUsage[]): Promise<void> {
    const uses = hours.flatMap((hour) => [
      ...newUses(hour, 'api', hour.apis),
      ...newUses(hour, 'address', hour.addresses),
    ]);
    for (let from = 0; from < uses.length; from += MAX_BATCH) {
      const batch = uses.slice(from, from + MAX_BATCH);
      const updates = batch.map(({ document: { _id, lastSeenAt, ...set } }) => ({
        updateOne: { filter: { _id: _id as never }, update: { $set: set, $max: { lastSeenAt } }, upsert: true },
      }));
      await bounded(this.model.collection.bulkWrite(updates, { ordered: false }).catch(ignoreDuplicates));
      for (const { sighting } of batch) sighting.isNoted = true;
    }
  }

  /** @param most per credential @throws DomainError `store-unavailable` */
  async of(credentialIds: readonly string[], kind: UsedKind, since: Date, most: number): Promise<LastUses> {
    if (credentialIds.length === 0) return new Map();
    const query = this.model.aggregate<{ _id: string; uses: { value: string; lastSeenAt: Date }[] }>([
      { $match: { credentialId: { $in: [...credentialIds] }, kind, lastSeenAt: { $gte: since } } },
      { $sort: { credentialId: 1, kind: 1, lastSeenAt: -1 } },
      { $group: { _id: '$credentialId', uses: { $push: { value: '$value', lastSeenAt: '$lastSeenAt' } } } },
      { $project: { uses: { $slice: ['$uses', most] } } },
    ]);
    const found = await bounded(query.exec());
    return new Map(found.map(({ _id, uses }) => [_id, uses]));
  }
}

function newUses({ credentialId }: HourUsage, kind: UsedKind, seen: ReadonlyMap<string, Sighting>): NewUse[] {
  return [...seen]
    .filter(([, { isNoted = false }]) => !isNoted)
    .map(([value, sighting]) => ({
      sighting,
      document: {
        _id: `${credentialId} ${kind} ${value}`,
        ...{ credentialId, kind, value, lastSeenAt: new Date(sighting.lastMs) },
      },
    }));
}
