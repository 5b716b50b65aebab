import { Inject, Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { EventLog, OutboxSignal } from '#events';
import type { OutboxDocument } from '#events';
import { Clock } from '#kernel';
import { MongoStore, bounded, isStoreUnavailable, withoutDeadline } from '#mongo';
import { LOGGER, Metrics } from '#observability';
import type { Logger } from '#observability';
import { JobQueues } from './job-queues.ts';
import type { QueueName, TokenPurgeJob } from './queues.ts';

const POLL_INTERVAL_MS = 1_000;
/** A row that still exists this long after it was enqueued is enqueued again. */
const REQUEUE_AFTER_MS = 20_000;
/** The delay before the next attempt while Redis is unavailable. */
const RETRY_MS = 2_000;
/** Equals the number of credentials that one transaction purges. */
const ROWS_PER_JOB = 50;
const MAX_JOBS_PER_RUN = 10;

/** The dependencies of the relay other than the store and the queues. */
@Injectable()
export class RelayServices {
  constructor(
    readonly clock: Clock,
    readonly signal: OutboxSignal,
    readonly metrics: Metrics,
  ) {}
}

/**
 * Enqueues committed follow-up work in BullMQ. A row is deleted only in the transaction that does its work. A row that
 * still exists after twenty seconds is enqueued again with a new job id, so no crash and no loss in Redis loses work.
 */
@Injectable()
export class OutboxRelay implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private again = false;
  private stopped = false;

  constructor(
    private readonly store: MongoStore,
    private readonly eventLog: EventLog,
    private readonly jobQueues: JobQueues,
    private readonly services: RelayServices,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    // the run must not inherit the deadline of the request that raised the signal
    this.services.signal.onRaise(() => withoutDeadline(() => this.wake()));
    this.timer = setInterval(() => this.wake(), POLL_INTERVAL_MS);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    await this.running;
  }

  private wake(): void {
    if (this.stopped || !this.store.ready) return;
    if (this.running !== undefined) {
      this.again = true;
      return;
    }
    this.running = this.enqueueDueRows().finally(() => {
      this.running = undefined;
      if (this.again) {
        this.again = false;
        this.wake();
      }
    });
  }

  private async enqueueDueRows(): Promise<void> {
    try {
      for (let job = 0; job < MAX_JOBS_PER_RUN && !this.stopped; job += 1) {
        const rows = await this.claim('token-purge');
        if (rows.length === 0 || !(await this.enqueue('token-purge', rows))) break;
      }
      this.services.metrics.outboxPending.set(await bounded(this.eventLog.outbox.estimatedDocumentCount().exec()));
    } catch (error) {
      if (isStoreUnavailable(error))
        this.logger.debug({ err: error }, 'cannot read the outbox: the store is unavailable');
      else this.logger.error({ err: error }, 'outbox relay failed');
    }
  }

  /**
   * Postpones due rows, so that no other instance enqueues them too, and returns those that it claimed. Two instances
   * that race within one millisecond may both claim a row; enqueuing it twice is harmless.
   */
  private async claim(queue: QueueName): Promise<OutboxDocument[]> {
    const now = this.services.clock.now();
    const { outbox } = this.eventLog;
    const due = await bounded(
      outbox
        .find({ queue, nextAttemptAt: { $lte: now } })
        .sort({ nextAttemptAt: 1 })
        .limit(ROWS_PER_JOB)
        .lean()
        .exec(),
    );
    if (due.length === 0) return [];
    const nextAttemptAt = new Date(now.getTime() + REQUEUE_AFTER_MS);
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

  /** @returns whether Redis accepted the job */
  private async enqueue(queue: QueueName, rows: readonly OutboxDocument[]): Promise<boolean> {
    const [first] = rows;
    if (first === undefined) return true;
    const payload: TokenPurgeJob = { outboxIds: rows.map((row) => row._id) };
    try {
      // a new id for each attempt: BullMQ ignores a job whose id already exists
      await this.jobQueues.add(queue, queue, payload, { jobId: `${first._id}-${first.attempts}` });
      return true;
    } catch (error) {
      this.logger.warn(
        { err: error, queue, rows: rows.length },
        'follow-up work not enqueued: Redis is unavailable; it stays in the outbox',
      );
      await this.postpone(payload.outboxIds);
      return false;
    }
  }

  private async postpone(ids: readonly string[]): Promise<void> {
    const nextAttemptAt = new Date(this.services.clock.nowMs() + RETRY_MS);
    await bounded(this.eventLog.outbox.updateMany({ _id: { $in: ids } }, { $set: { nextAttemptAt } }).exec());
  }
}
