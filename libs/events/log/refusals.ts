import { Inject, Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { Schema } from 'mongoose';
import type { Model } from 'mongoose';
import type { RefusalReason } from '#event-types';
import { Clock, digest } from '#kernel';
import type { Subject } from '#kernel';
import { MongoStore, bounded } from '#mongo';
import { LOGGER, Metrics } from '#observability';
import type { Logger } from '#observability';

const FLUSH_INTERVAL_MS = 2_000;
const MINUTE_MS = 60_000;
/** The maximum number of addresses in one summary. */
const MAX_ADDRESSES = 10;
/** The maximum number of unwritten summaries. Further refusals are only counted by the metric. */
const MAX_UNWRITTEN = 10_000;

/** A refused sign-in or request. */
export interface Refusal {
  readonly operationId: string | null;
  /** The claimed credential, resource server or user if it exists, otherwise `{ type: 'unknown', id: 'unknown' }`. */
  readonly subject: Subject;
  /** The reason, which the caller does not learn. */
  readonly reason: RefusalReason;
  readonly ip: string | null;
}

/** A summary: the refusals of one subject for one reason within one minute. */
export interface RefusalDocument {
  _id: string;
  id: string;
  minute: Date;
  operationId: string | null;
  subject: Subject;
  reason: RefusalReason;
  count: number;
  addresses: string[];
}

const schema = new Schema<RefusalDocument>(
  {
    _id: String,
    id: String,
    minute: Date,
    operationId: String,
    subject: Schema.Types.Mixed,
    reason: String,
    count: Number,
    addresses: [String],
  },
  { id: false },
);
schema.index({ minute: -1, id: -1 }); // serves GET /v1/events
schema.index({ operationId: 1, minute: -1, id: -1 }); // serves GET /v1/events?operationId=
schema.index({ 'subject.id': 1, minute: -1, id: -1 }); // serves GET /v1/events?subject= and ?actor=
schema.index({ id: 1 }); // serves GET /v1/events/{eventId}

interface UnwrittenSummary extends Refusal {
  readonly minute: Date;
  count: number;
  readonly addresses: Set<string>;
}

/**
 * Summarises refusals per subject, reason and minute outside the hash chain, because there can be thousands per second.
 * Writes every two seconds; a crash loses at most these, and no guarantee depends on them.
 */
@Injectable()
export class Refusals implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly model: Model<RefusalDocument>;
  private waiting = new Map<string, UnwrittenSummary>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly store: MongoStore,
    private readonly clock: Clock,
    private readonly metrics: Metrics,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.model = store.model('refusals', schema);
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.flush(), FLUSH_INTERVAL_MS);
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
  }

  record(refusal: Refusal): void {
    this.metrics.refusals.inc({ reason: refusal.reason });
    this.logger.debug({ ...refusal }, 'refused');
    const minuteMs = Math.floor(this.clock.nowMs() / MINUTE_MS) * MINUTE_MS;
    const key = [minuteMs, refusal.operationId, refusal.subject.type, refusal.subject.id, refusal.reason].join('|');
    const summary = this.waiting.get(key);
    if (summary !== undefined) {
      summary.count += 1;
      if (refusal.ip !== null && summary.addresses.size < MAX_ADDRESSES) summary.addresses.add(refusal.ip);
    } else if (this.waiting.size < MAX_UNWRITTEN) {
      const addresses = new Set(refusal.ip === null ? [] : [refusal.ip]);
      this.waiting.set(key, { ...refusal, minute: new Date(minuteMs), count: 1, addresses });
    }
  }

  private async flush(): Promise<void> {
    if (this.waiting.size === 0 || !this.store.ready) return;
    const batch = this.waiting;
    this.waiting = new Map();
    try {
      await bounded(this.model.collection.bulkWrite([...batch].map(upsert), { ordered: false }));
    } catch (error) {
      this.logger.warn({ err: error, summaries: batch.size }, 'cannot write refusals yet');
      this.putBack(batch);
    }
  }

  private putBack(batch: Map<string, UnwrittenSummary>): void {
    for (const [key, summary] of batch) {
      const newer = this.waiting.get(key);
      if (newer === undefined) this.waiting.set(key, summary);
      else newer.count += summary.count;
    }
  }
}

function upsert([key, summary]: [string, UnwrittenSummary]): Parameters<
  Model<RefusalDocument>['collection']['bulkWrite']
>[0][number] {
  const { minute, operationId, subject, reason, count, addresses } = summary;
  const _id = digest(key);
  return {
    updateOne: {
      filter: { _id: _id as never },
      update: {
        $setOnInsert: { id: `ev_${_id.replaceAll(/[-_]/g, '').slice(0, 32)}`, minute, operationId, subject, reason },
        $inc: { count },
        $addToSet: { addresses: { $each: [...addresses] } },
      },
      upsert: true,
    },
  };
}
