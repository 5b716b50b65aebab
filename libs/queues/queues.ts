import type { JobsOptions } from 'bullmq';

/** Every queue, what its jobs carry, how often they are tried and how long they are kept. Each job may run twice with the same result. */
export const queues = {
  /** Deletes the tokens of deleted credentials. One job for a chunk of outbox rows; the rows, not the job, say whose tokens. */
  'token-purge': {
    attempts: 5,
    backoff: { type: 'exponential', delay: 500, jitter: 0.5 },
    removeOnComplete: { age: 3600, count: 1000 },
    removeOnFail: { age: 14 * 24 * 3600, count: 10_000 },
  },
  /** Recurring work, scheduled by apps/api/src/worker/schedules.ts. */
  maintenance: {
    attempts: 3,
    backoff: { type: 'exponential', delay: 1000, jitter: 0.5 },
    removeOnComplete: { age: 3600, count: 100 },
    removeOnFail: { age: 14 * 24 * 3600, count: 1000 },
  },
} as const satisfies Record<string, JobsOptions>;

export type QueueName = keyof typeof queues;

/** Payload of a `token-purge` job: ids of outbox rows, nothing that could point at another credential's tokens. */
export interface TokenPurgeJob {
  readonly outboxIds: readonly string[];
}
