import type { BeforeApplicationShutdown } from '@nestjs/common';
import { OnWorkerEvent, WorkerHost } from '@nestjs/bullmq';
import type { Job } from 'bullmq';
import type { MongoStore } from '#mongo';
import type { Logger, Metrics } from '#observability';

/** How long a worker may finish its job at shutdown, in milliseconds. */
const FINISH_MS = 2_500;

/** What both processors do beside their jobs: count, tell, and end in time also while Redis is away. */
export abstract class CountingProcessor extends WorkerHost implements BeforeApplicationShutdown {
  constructor(
    protected readonly logger: Logger,
    private readonly metrics: Metrics,
    private readonly store: MongoStore,
  ) {
    super();
  }

  /** A job that Redis still holds may come before MongoDB is reached: then it waits for it. */
  async process(job: Job): Promise<unknown> {
    await this.store.open();
    return this.work(job);
  }

  protected abstract work(job: Job): Promise<unknown>;

  @OnWorkerEvent('completed')
  onCompleted(job: Job): void {
    this.metrics.jobs.inc({ queue: job.queueName, outcome: 'completed' });
  }

  @OnWorkerEvent('failed')
  onFailed(job: Job | undefined, error: Error): void {
    this.metrics.jobs.inc({ queue: job?.queueName ?? 'unknown', outcome: 'failed' });
    this.logger.warn({ err: error, jobId: job?.id, queue: job?.queueName, attempt: job?.attemptsMade }, 'job failed');
  }

  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.logger.debug({ err: error }, 'worker connection error');
  }

  /** BullMQ's own close waits without end for a job, and for a Redis that is away. */
  async beforeApplicationShutdown(): Promise<void> {
    const finished = this.worker.close().catch(() => undefined);
    await Promise.race([finished, new Promise((resolve) => setTimeout(resolve, FINISH_MS).unref())]);
  }
}
