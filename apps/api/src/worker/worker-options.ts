import type { WorkerOptions } from 'bullmq';

/**
 * How workers hold their jobs. A killed worker's job is taken up again after at most ten seconds, and as often as it takes: a job
 * that stalls is not at fault, and the outbox would hand its work on anew anyway.
 */
export const workerOptions: Pick<WorkerOptions, 'lockDuration' | 'stalledInterval' | 'maxStalledCount' | 'drainDelay'> =
  {
    lockDuration: 10_000,
    stalledInterval: 5_000,
    maxStalledCount: 1_000,
    drainDelay: 5,
  };
