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

const LOOK_EVERY_MS = 1_000;
/** A row whose work is not done this long after it was handed on is handed on again. */
const HAND_ON_AGAIN_MS = 20_000;
/** When Redis could not take it, sooner. */
const RETRY_MS = 2_000;
/** Rows in one job: as many credentials as one transaction purges. */
const ROWS_PER_JOB = 50;
const JOBS_PER_LOOK = 10;

/** What the relay needs besides the store and the queues. */
@Injectable()
export class RelayServices {
  constructor(
    readonly clock: Clock,
    readonly signal: OutboxSignal,
    readonly metrics: Metrics,
  ) {}
}

/**
 * Hands committed follow-up work on to BullMQ, and sweeps up what got lost on the way. A row goes only in the transaction that
 * does its work, so neither a crash, nor an emptied Redis, nor a job that failed for good can lose it: what is
 * still there after twenty seconds is enqueued anew, under a new job id.
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
    // who raised it does not wait for it
    this.services.signal.onRaise(() => withoutDeadline(() => this.wake()));
    this.timer = setInterval(() => this.wake(), LOOK_EVERY_MS);
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
    this.running = this.look().finally(() => {
      this.running = undefined;
      if (this.again) {
        this.again = false;
        this.wake();
      }
    });
  }

  private async look(): Promise<void> {
    try {
      for (let job = 0; job < JOBS_PER_LOOK && !this.stopped; job += 1) {
        const rows = await this.claim('token-purge');
        if (rows.length === 0 || !(await this.handOn('token-purge', rows))) break;
      }
      this.services.metrics.outboxPending.set(await bounded(this.eventLog.outbox.estimatedDocumentCount().exec()));
    } catch (error) {
      if (isStoreUnavailable(error)) this.logger.debug({ err: error }, 'outbox not read');
      else this.logger.error({ err: error }, 'outbox relay failed');
    }
  }

  /**
   * Puts due rows off, so that no other instance hands them on meanwhile, and returns those that it got. (Where two race within the
   * same millisecond both may get a row: then its work is handed on twice, which does no harm.)
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
    const nextAttemptAt = new Date(now.getTime() + HAND_ON_AGAIN_MS);
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
    const got = await bounded(
      outbox
        .find({ _id: { $in: ids }, nextAttemptAt }, { _id: 1 })
        .lean()
        .exec(),
    );
    return due.filter(({ _id }) => got.some((row) => row._id === _id));
  }

  /** @returns whether Redis took it */
  private async handOn(queue: QueueName, rows: readonly OutboxDocument[]): Promise<boolean> {
    const [first] = rows;
    if (first === undefined) return true;
    const payload: TokenPurgeJob = { outboxIds: rows.map((row) => row._id) };
    try {
      // a kept job of the same id would swallow this one: each attempt has its own
      await this.jobQueues.add(queue, queue, payload, { jobId: `${first._id}-${first.attempts}` });
      return true;
    } catch (error) {
      this.logger.warn(
        { err: error, queue, rows: rows.length },
        'work not handed on: Redis is away; it stays in the outbox',
      );
      await this.putOff(payload.outboxIds);
      return false;
    }
  }

  private async putOff(ids: readonly string[]): Promise<void> {
    const nextAttemptAt = new Date(this.services.clock.nowMs() + RETRY_MS);
    await bounded(this.eventLog.outbox.updateMany({ _id: { $in: ids } }, { $set: { nextAttemptAt } }).exec());
  }
}
