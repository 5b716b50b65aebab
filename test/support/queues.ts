import { Queue } from 'bullmq';
import type { JobsOptions } from 'bullmq';
import type { TestDatabase } from './database.ts';

/** A queue of the service, as seen by someone who can write to its Redis. */
export async function withQueue<T>(
  database: TestDatabase,
  name: 'token-purge' | 'maintenance',
  work: (queue: Queue) => Promise<T>,
  redisUrl = database.redisUrl,
): Promise<T> {
  const { hostname, port, password } = new URL(redisUrl);
  const connection = { host: hostname, port: Number(port), password };
  const queue = new Queue(name, { prefix: await database.redisPrefix(), connection });
  queue.on('error', () => undefined);
  try {
    return await work(queue);
  } finally {
    await queue.close();
  }
}

/** Adds a job that the service did not create. */
export async function forgeJob(
  database: TestDatabase,
  name: 'token-purge' | 'maintenance',
  job: { readonly name?: string; readonly data?: unknown; readonly options?: JobsOptions },
): Promise<void> {
  await withQueue(database, name, (queue) => queue.add(job.name ?? name, job.data, job.options));
}
