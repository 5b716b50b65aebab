import type { JobsOptions } from 'bullmq';

/** All queues with their attempts, backoff and retention. Every job may run twice with the same result. */
export const queues = {
  /**
   * Deletes the tokens of deleted credentials. One job per chunk of outbox rows; only the rows name the credentials.
   */
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

/** Payload of a `token-purge` job: only ids of outbox rows, so a forged job cannot purge other tokens. */
export interface TokenPurgeJob {
  readonly outboxIds: readonly string[];
}
