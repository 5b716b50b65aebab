import { Injectable } from '@nestjs/common';
import type { Job, Queue } from 'bullmq';
import { DomainError } from '#kernel';
import { JobQueues } from './job-queues.ts';
import { queues } from './queues.ts';
import type { QueueName } from './queues.ts';

/** Retry-After while Redis is unavailable. */
const RETRY_AFTER_SECONDS = 5;

/** A job that failed finally. `failure` is only the class of its error, because a message may contain anything. */
export interface FailedJob {
  readonly queue: QueueName;
  readonly id: string;
  readonly name: string;
  readonly failure: string;
  readonly attempts: number;
  /** The outbox rows of this job. */
  readonly outboxIds: readonly string[];
  readonly createdAt: string;
  readonly failedAt: string;
}

/** The number of jobs of a queue in each state. */
export interface QueueCounts {
  readonly name: QueueName;
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly completed: number;
  readonly failed: number;
}

/** The last job of the previous page of failed jobs. */
export interface FailedJobPosition {
  readonly failedAtMs: number;
  readonly id: string;
}

/** Reads and retries failed jobs for administrators. Every call has a time limit, also while Redis is unavailable. */
@Injectable()
export class FailedJobs {
  constructor(private readonly jobQueues: JobQueues) {}

  /** @throws DomainError `queue-unavailable` */
  counts(): Promise<QueueCounts[]> {
    const names = Object.keys(queues) as QueueName[];
    return Promise.all(
      names.map(async (name) => {
        const counts = await this.ask(name, (queue) =>
          queue.getJobCounts('waiting', 'active', 'delayed', 'completed', 'failed'),
        );
        const count = (state: string): number => counts[state] ?? 0;
        return {
          name,
          waiting: count('waiting'),
          active: count('active'),
          delayed: count('delayed'),
          completed: count('completed'),
          failed: count('failed'),
        };
      }),
    );
  }

  /** Returns a page of a queue's failed jobs, the latest first. @throws DomainError `queue-unavailable` */
  async list(name: QueueName, after: FailedJobPosition | undefined, limit: number): Promise<FailedJob[]> {
    return this.ask(name, async (queue) => {
      const jobs: Job[] = [];
      for (const id of await this.idsAfter(queue, after, limit)) {
        const job = (await queue.getJob(id)) as Job | undefined;
        if (job !== undefined) jobs.push(job);
      }
      return jobs.map((job) => failedJob(name, job));
    });
  }

  /** @throws DomainError `not-found`, `job-not-failed`, `queue-unavailable` */
  async get(name: QueueName, id: string): Promise<Job> {
    const found = await this.ask(name, async (queue) => {
      const job = (await queue.getJob(id)) as Job | undefined;
      return job === undefined ? undefined : { job, failed: await job.isFailed() };
    });
    if (found === undefined) throw DomainError.notFound('job');
    if (!found.failed) throw notFailed();
    return found.job;
  }

  /** @throws DomainError `job-not-failed`, `queue-unavailable` */
  async retry(name: QueueName, job: Job): Promise<void> {
    await this.ask(name, async () => {
      try {
        await job.retry('failed');
      } catch (error) {
        if (await job.isFailed()) throw error;
        throw notFailed();
      }
    });
  }

  /**
   * BullMQ pages by index, which shifts with each new failure, so pages would skip or repeat jobs. This pages by time:
   * it fetches all ids, at most as many as queues.ts retains.
   */
  private async idsAfter(queue: Queue, after: FailedJobPosition | undefined, limit: number): Promise<string[]> {
    const client = await queue.backend.client;
    const found = await client.zrevrange(queue.toKey('failed'), 0, -1, { WITHSCORES: true });
    const ids: string[] = [];
    for (let index = 0; index < found.length && ids.length < limit; index += 2) {
      const [id = '', score = '0'] = found.slice(index, index + 2);
      const failedAtMs = Number(score);
      const isAfter =
        after === undefined || failedAtMs < after.failedAtMs || (failedAtMs === after.failedAtMs && id < after.id);
      if (isAfter) ids.push(id);
    }
    return ids;
  }

  private async ask<T>(name: QueueName, call: (queue: Queue) => Promise<T>): Promise<T> {
    try {
      return await this.jobQueues.within(() => call(this.jobQueues.get(name)));
    } catch (error) {
      if (error instanceof DomainError) throw error;
      throw new DomainError('queue-unavailable', 'The job queue is unavailable at the moment. Try again later.', {
        retryAfterSeconds: RETRY_AFTER_SECONDS,
        cause: error,
        privateDetail: error instanceof Error ? error.message : 'unknown',
      });
    }
  }
}

function notFailed(): DomainError {
  return new DomainError(
    'job-not-failed',
    'Only a failed job can be retried. List the failed jobs again to see its current state.',
  );
}

function failedJob(queue: QueueName, job: Job): FailedJob {
  const time = (ms: number | undefined): string => new Date(ms ?? 0).toISOString();
  return {
    queue,
    id: job.id ?? '',
    name: job.name,
    // the bundler adds a number to classes that share a name
    failure: /^([A-Za-z]{1,60})\d*(?=[:\s[]|$)/.exec(job.stacktrace?.at(-1) ?? '')?.[1] ?? 'Error',
    attempts: job.attemptsMade,
    outboxIds: outboxIdsOf(job.data),
    createdAt: time(job.timestamp),
    failedAt: time(job.finishedOn),
  };
}

/** Shows only well-formed outbox ids, because anybody with access to Redis can put other data into a job. */
function outboxIdsOf(data: unknown): string[] {
  if (typeof data !== 'object' || data === null || !('outboxIds' in data) || !Array.isArray(data.outboxIds)) return [];
  return data.outboxIds
    .filter((id): id is string => typeof id === 'string' && /^ev_[0-9a-f]{32}$/.test(id))
    .slice(0, 100);
}
