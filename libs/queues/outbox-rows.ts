import { Injectable } from '@nestjs/common';
import { EventLog } from '#events';
import type { OutboxDocument } from '#events';
import { Clock } from '#kernel';
import { bounded } from '#mongo';
import type { QueueName } from './queues.ts';

/** A row whose work is not done this long after it was handed to Redis is handed over again. */
const HAND_OVER_AGAIN_MS = 20_000;
/** When Redis could not take it, sooner. */
const RETRY_MS = 2_000;

/** The rows of the outbox: follow-up work that is committed and not done. */
@Injectable()
export class OutboxRows {
  constructor(
    private readonly eventLog: EventLog,
    private readonly clock: Clock,
  ) {}

  /** How many rows there are, roughly. */
  async count(): Promise<number> {
    return bounded(this.eventLog.outbox.estimatedDocumentCount().exec());
  }

  /**
   * Postpones due rows, so that no other instance takes them meanwhile, and returns those that it postponed. Two
   * instances that race within one millisecond may both get a row: its work then runs twice, which has the same result.
   *
   * @param limit the most rows to claim
   */
  async claim(queue: QueueName, limit: number): Promise<OutboxDocument[]> {
    const now = this.clock.now();
    const { outbox } = this.eventLog;
    const due = await bounded(
      outbox
        .find({ queue, nextAttemptAt: { $lte: now } })
        .sort({ nextAttemptAt: 1 })
        .limit(limit)
        .lean()
        .exec(),
    );
    if (due.length === 0) return [];
    const nextAttemptAt = new Date(now.getTime() + HAND_OVER_AGAIN_MS);
    const { matchedCount } = await bounded(
      outbox.bulkWrite(
        due.map(({ _id, attempts, nextAttemptAt: seen }) => ({
          updateOne: {
            filter: { _id, attempts, nextAttemptAt: seen },
            update: { $set: { nextAttemptAt }, $inc: { attempts: 1 } },
          },
        })),
        { ordered: false },
      ),
    );
    if (matchedCount === due.length || matchedCount === 0) return due.slice(0, matchedCount);
    const ids = due.map(({ _id }) => _id);
    const claimed = await bounded(
      outbox
        .find({ _id: { $in: ids }, nextAttemptAt }, { _id: 1 })
        .lean()
        .exec(),
    );
    return due.filter(({ _id }) => claimed.some((row) => row._id === _id));
  }

  /** Makes claimed rows due again soon, since Redis could not take them. */
  async retrySoon(ids: readonly string[]): Promise<void> {
    const nextAttemptAt = new Date(this.clock.nowMs() + RETRY_MS);
    await bounded(this.eventLog.outbox.updateMany({ _id: { $in: ids } }, { $set: { nextAttemptAt } }).exec());
  }
}
