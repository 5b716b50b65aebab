import type { WorkerOptions } from 'bullmq';

/**
 * Lock options of the workers. The job of a killed worker runs again after at most ten seconds, without a limit on
 * stalls: a stall is not a fault of the job, and the outbox would enqueue its work again anyway.
 */
export const workerOptions: Pick<WorkerOptions, 'lockDuration' | 'stalledInterval' | 'maxStalledCount' | 'drainDelay'> =
  {
    lockDuration: 10_000,
    stalledInterval: 5_000,
    maxStalledCount: 1_000,
    drainDelay: 5,
  };
