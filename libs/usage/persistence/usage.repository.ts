import { Injectable } from '@nestjs/common';
import { Schema } from 'mongoose';
import type { Model, mongo } from 'mongoose';
import type { RefusalReason } from '#event-types';
import { Clock } from '#kernel';
import { MongoStore, Settings, bounded } from '#mongo';
import type { HourUsage, Sighting } from '../domain/hour-usage.ts';
import { LastUseRepository } from './last-use.repository.ts';
import { MAX_BATCH, RETENTION_SECONDS, ignoreDuplicates } from './bulk-writes.ts';

interface StoredSighting {
  readonly key: string;
  readonly count: number;
  readonly lastSeenAt: Date;
}

/** What one instance counted of one credential in one hour. */
export interface HourDocument {
  readonly _id: string;
  readonly credentialId: string;
  readonly hour: Date;
  readonly revision: number;
  readonly issued: number;
  readonly used: number;
  readonly lastUsedAt: Date | null;
  readonly refused: readonly { readonly reason: RefusalReason; readonly count: number }[];
  readonly addresses: readonly StoredSighting[];
  readonly apis: readonly StoredSighting[];
  readonly secrets: readonly StoredSighting[];
}

const sightings = [{ _id: false, key: String, count: Number, lastSeenAt: Date }];
const schema = new Schema<HourDocument>({
  _id: String,
  credentialId: String,
  hour: Date,
  revision: Number,
  issued: Number,
  used: Number,
  lastUsedAt: Date,
  refused: [{ _id: false, reason: String, count: Number }],
  addresses: sightings,
  apis: sightings,
  secrets: sightings,
});
schema.index({ credentialId: 1, hour: 1 }); // serves the use of credentials since a moment
schema.index({ 'refused.reason': 1, credentialId: 1, hour: 1 }); // serves refusals of credentials by reason
schema.index({ hour: 1 }, { expireAfterSeconds: RETENTION_SECONDS }); // removes what is older than 90 days

/** Refusals of a credential for one reason within one hour. */
export interface HourRefusals {
  readonly credentialId: string;
  readonly reason: RefusalReason;
  readonly hour: Date;
  readonly count: number;
}

/** Stores the counters. Each document is written by one instance only, with totals and not with increments. */
@Injectable()
export class UsageRepository {
  private readonly model: Model<HourDocument>;

  constructor(
    private readonly store: MongoStore,
    private readonly settings: Settings,
    private readonly clock: Clock,
    private readonly lastUses: LastUseRepository,
  ) {
    this.model = store.model('usage', schema);
  }

  get isReady(): boolean {
    return this.store.ready;
  }

  /** When recording began: the time of the first call on any instance. */
  async recordedSince(): Promise<Date> {
    return new Date(await this.settings.getOrCreate('usage-recorded-since', () => this.clock.now().toISOString()));
  }

  /**
   * Writes the totals. Marks what is written; the rest can be written again, which counts nothing twice.
   * @throws DomainError `store-unavailable`
   */
  async write(hours: readonly HourUsage[]): Promise<void> {
    for (let from = 0; from < hours.length; from += MAX_BATCH) {
      const batch = hours.slice(from, from + MAX_BATCH);
      // read first: what is counted during the writes belongs to the next one
      const revisions = batch.map(({ revision }) => revision);
      await this.lastUses.note(batch);
      await bounded(this.model.collection.bulkWrite(batch.map(upsert), { ordered: false }).catch(ignoreDuplicates));
      for (const [index, hour] of batch.entries()) hour.writtenRevision = revisions[index] ?? 0;
    }
  }

  /** The documents of these credentials from an hour on, in batches: there may be many. */
  between(credentialIds: readonly string[], from: Date, to?: Date): AsyncIterable<HourDocument> {
    const filter = { credentialId: { $in: [...credentialIds] }, hour: { $gte: from, ...(to && { $lt: to }) } };
    return this.model.find(filter).lean().cursor() as AsyncIterable<HourDocument>;
  }

  /** The refusals of these credentials for these reasons, summed up over the instances. */
  async refusals(
    credentialIds: readonly string[],
    reasons: readonly RefusalReason[],
    from: Date,
  ): Promise<HourRefusals[]> {
    const within = { 'refused.reason': { $in: [...reasons] }, credentialId: { $in: [...credentialIds] } };
    const found = await this.model.aggregate<{ _id: Omit<HourRefusals, 'count'>; count: number }>([
      { $match: { ...within, hour: { $gte: from } } },
      { $project: { credentialId: 1, hour: 1, refused: 1 } },
      { $unwind: '$refused' },
      { $match: { 'refused.reason': { $in: [...reasons] } } },
      {
        $group: {
          _id: { credentialId: '$credentialId', reason: '$refused.reason', hour: '$hour' },
          count: { $sum: '$refused.count' },
        },
      },
    ]);
    return found.map(({ _id, count }) => ({ ..._id, count }));
  }
}

function upsert(usage: HourUsage): mongo.AnyBulkWriteOperation {
  const { id, credentialId, atMs, revision, issued, used, lastUsedMs, refused } = usage;
  return {
    updateOne: {
      // a late write of an older revision finds nothing, and its insert fails
      filter: { _id: id as never, revision: { $lt: revision } },
      update: {
        $set: {
          ...{ credentialId, hour: new Date(atMs), revision, issued, used },
          lastUsedAt: lastUsedMs === 0 ? null : new Date(lastUsedMs),
          refused: [...refused].map(([reason, count]) => ({ reason, count })),
          addresses: stored(usage.addresses),
          apis: stored(usage.apis),
          secrets: stored(usage.secrets),
        },
      },
      upsert: true,
    },
  };
}

function stored(seen: ReadonlyMap<string, Sighting>): StoredSighting[] {
  return [...seen].map(([key, { count, lastMs }]) => ({ key, count, lastSeenAt: new Date(lastMs) }));
}
