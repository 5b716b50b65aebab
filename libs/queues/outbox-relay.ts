import { Inject, Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { OutboxDocument } from '#events';
import { MongoStore, isStoreUnavailable, withoutDeadline } from '#mongo';
import { LOGGER, Metrics } from '#observability';
import type { Logger } from '#observability';
import { JobQueues } from './job-queues.ts';
import { OutboxRows } from './outbox-rows.ts';
import type { QueueName, TokenPurgeJob } from './queues.ts';

const POLL_EVERY_MS = 1_000;
/** Rows in one job: as many credentials as one transaction purges. */
const ROWS_PER_JOB = 50;
const MAX_JOBS_PER_PASS = 10;

/**
 * Hands committed follow-up work to BullMQ. A row is deleted only in the transaction that does its work, so neither a
 * crash, nor an emptied Redis, nor a failed job loses it: a row that is still there after twenty seconds is queued
 * again, under a new job id.
 */
@Injectable()
export class OutboxRelay implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private isWanted = false;
  private isStopped = false;

  constructor(
    private readonly store: MongoStore,
    private readonly rows: OutboxRows,
    private readonly jobQueues: JobQueues,
    private readonly metrics: Metrics,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => this.wake(), POLL_EVERY_MS);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    clearInterval(this.timer);
    await this.running;
  }

  /** Starts a pass now, or another one after the pass under way. The caller does not wait for it. */
  wake(): void {
    if (this.isStopped || !this.store.ready) return;
    if (this.running !== undefined) {
      this.isWanted = true;
      return;
    }
    // the deadline of the request that woke it does not apply to it
    this.running = withoutDeadline(() => this.pass()).finally(() => {
      this.running = undefined;
      if (this.isWanted) {
        this.isWanted = false;
        this.wake();
      }
    });
  }

  private async pass(): Promise<void> {
    try {
      for (let job = 0; job < MAX_JOBS_PER_PASS && !this.isStopped; job += 1) {
        const rows = await this.rows.claim('token-purge', ROWS_PER_JOB);
        if (rows.length === 0 || !(await this.handOver('token-purge', rows))) break;
      }
      this.metrics.outboxPending.set(await this.rows.count());
    } catch (error) {
      if (isStoreUnavailable(error)) this.logger.debug({ err: error }, 'outbox not read');
      else this.logger.error({ err: error }, 'outbox relay failed');
    }
  }

  /** @returns whether Redis took it */
  private async handOver(queue: QueueName, rows: readonly OutboxDocument[]): Promise<boolean> {
    const [first] = rows;
    if (first === undefined) return true;
    const payload: TokenPurgeJob = { outboxIds: rows.map((row) => row._id) };
    try {
      // BullMQ silently drops a job whose id a kept job has, so each attempt has its own id
      await this.jobQueues.add(queue, queue, payload, { jobId: `${first._id}-${first.attempts}` });
      return true;
    } catch (error) {
      this.logger.warn(
        { err: error, queue, rows: rows.length },
        'follow-up work not queued: Redis is unavailable; it stays in the outbox',
      );
      await this.rows.retrySoon(payload.outboxIds);
      return false;
    }
  }
}
