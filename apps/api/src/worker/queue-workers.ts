import { Inject, Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown } from '@nestjs/common';
import { Worker } from 'bullmq';
import type { Job } from 'bullmq';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { isStoreUnavailable } from '#mongo';
import { LOGGER, Metrics } from '#observability';
import type { Logger } from '#observability';
import type { QueueName } from '#queues';
import { RedisNamespace, connectRedis } from '#redis';
import { workerOptions } from './worker-options.ts';

/** The time limit for the current jobs at shutdown. */
const FINISH_MS = 2_500;

/** A queue, and what is done with each of its jobs. */
export interface QueueWork {
  readonly queue: QueueName;
  /** How many jobs are worked on at a time. */
  readonly concurrency: number;
  readonly process: (job: Job) => Promise<unknown>;
}

/** Runs BullMQ workers: they start once MongoDB was reached, count jobs, and stop in time even without Redis. */
@Injectable()
export class QueueWorkers implements BeforeApplicationShutdown {
  private readonly stops: (() => Promise<void>)[] = [];
  private stopping = false;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly namespace: RedisNamespace,
    private readonly metrics: Metrics,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Works on the queue until the instance shuts down. */
  run(work: QueueWork): void {
    void this.namespace.prefix().then((prefix) => {
      if (!this.stopping) this.start(work, prefix);
    });
  }

  /** BullMQ's own close waits without limit for a job and for Redis. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.stops.map((stop) => stop()));
  }

  private start({ queue, concurrency, process }: QueueWork, prefix: string): void {
    const client = connectRedis(this.config.redis, { enableOfflineQueue: true });
    client.on('error', (error: Error) => this.logger.debug({ err: error }, 'worker connection error'));
    const worker = new Worker(queue, process, { prefix, connection: client, concurrency, ...workerOptions });
    worker.on('completed', () => this.metrics.jobs.inc({ queue, outcome: 'completed' }));
    worker.on('failed', (job, error) => {
      this.metrics.jobs.inc({ queue, outcome: 'failed' });
      const level = isStoreUnavailable(error) ? 'warn' : 'error';
      this.logger[level]({ err: error, jobId: job?.id, queue, attempt: job?.attemptsMade }, 'job failed');
    });
    worker.on('error', (error) => this.logger.debug({ err: error }, 'worker connection error'));
    this.stops.push(async () => {
      const finished = worker.close().catch(() => undefined);
      await Promise.race([finished, new Promise((resolve) => setTimeout(resolve, FINISH_MS).unref())]);
      client.disconnect();
    });
  }
}
