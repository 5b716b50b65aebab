import { Injectable } from '@nestjs/common';
import mongoose, { Schema } from 'mongoose';
import type { Model } from 'mongoose';
import type { RefusalReason } from '#event-types';
import { Clock } from '#kernel';
import { MongoStore, Settings, bounded } from '#mongo';
import type { HourUsage, Sighting } from '../domain/hour-usage.ts';

/** Days that use is kept, plus the hour that a document is about. */
const RETENTION_SECONDS = 90 * 86_400 + 3_600;
/** Documents of one bulk write: it must be answered within the time limit of one round trip. */
const MAX_BATCH = 500;

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
schema.index({ hour: 1 }, { expireAfterSeconds: RETENTION_SECONDS }); // removes what is older than 90 days

/** Stores the counters. Each document is written by one instance only, with totals and not with increments. */
@Injectable()
export class UsageRepository {
  private readonly model: Model<HourDocument>;

  constructor(
    private readonly store: MongoStore,
    private readonly settings: Settings,
    private readonly clock: Clock,
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
      const revisions = batch.map(({ revision }) => revision);
      await bounded(this.model.collection.bulkWrite(batch.map(upsert), { ordered: false }).catch(ignoreLaterRevisions));
      for (const [index, hour] of batch.entries()) hour.writtenRevision = revisions[index] ?? 0;
    }
  }

  /** The documents of these credentials from an hour on, in batches: there may be many. */
  between(credentialIds: readonly string[], from: Date, to?: Date): AsyncIterable<HourDocument> {
    const filter = { credentialId: { $in: [...credentialIds] }, hour: { $gte: from, ...(to && { $lt: to }) } };
    return this.model.find(filter).lean().cursor() as AsyncIterable<HourDocument>;
  }
}

function upsert(usage: HourUsage): mongoose.mongo.AnyBulkWriteOperation {
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

/** A duplicate key means that the store already has this revision or a later one. */
function ignoreLaterRevisions(error: unknown): void {
  if (!(error instanceof mongoose.mongo.MongoBulkWriteError)) throw error;
  const faults = [error.writeErrors].flat();
  if (faults.length === 0 || faults.some(({ code }) => code !== 11_000)) throw error;
}
