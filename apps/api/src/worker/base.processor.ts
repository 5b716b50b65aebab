import { Inject, Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
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

/** The time limit for the current job at shutdown. */
const FINISH_MS = 2_500;

/** The dependencies of both processors. */
@Injectable()
export class WorkerServices {
  constructor(
    @Inject(CONFIG) readonly config: Config,
    readonly namespace: RedisNamespace,
    readonly metrics: Metrics,
    @Inject(LOGGER) readonly logger: Logger,
  ) {}
}

/**
 * The base of both processors: starts once MongoDB was reached, counts jobs, and stops in time even without Redis.
 */
export abstract class CountingProcessor implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private stop: () => Promise<void> = () => Promise.resolve();
  private stopping = false;

  constructor(
    private readonly services: WorkerServices,
    private readonly queue: QueueName,
    private readonly concurrency = 1,
  ) {}

  protected abstract work(job: Job): Promise<unknown>;

  onApplicationBootstrap(): void {
    void this.services.namespace.prefix().then((prefix) => {
      if (!this.stopping) this.start(prefix);
    });
  }

  /** BullMQ's own close waits without limit for a job and for Redis. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    await this.stop();
  }

  private start(prefix: string): void {
    const { config, logger, metrics } = this.services;
    const client = connectRedis(config.redis, { enableOfflineQueue: true });
    client.on('error', (error: Error) => logger.debug({ err: error }, 'worker connection error'));
    const options = { prefix, connection: client, concurrency: this.concurrency, ...workerOptions };
    const worker = new Worker(this.queue, (job) => this.work(job), options);
    worker.on('completed', (job) => metrics.jobs.inc({ queue: job.queueName, outcome: 'completed' }));
    worker.on('failed', (job, error) => {
      metrics.jobs.inc({ queue: this.queue, outcome: 'failed' });
      const level = isStoreUnavailable(error) ? 'warn' : 'error';
      logger[level]({ err: error, jobId: job?.id, queue: this.queue, attempt: job?.attemptsMade }, 'job failed');
    });
    worker.on('error', (error) => logger.debug({ err: error }, 'worker connection error'));
    this.stop = async () => {
      const finished = worker.close().catch(() => undefined);
      await Promise.race([finished, new Promise((resolve) => setTimeout(resolve, FINISH_MS).unref())]);
      client.disconnect();
    };
  }
}
