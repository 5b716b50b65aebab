import { describe, expect, it } from '@jest/globals';
import type { Queue } from 'bullmq';
import { createLogger } from '#observability';
import { JobQueues, QueueUnavailable } from './job-queues.ts';

const logger = createLogger('silent');
const UNANSWERED_AT_MOST = 50;

describe('JobQueues', () => {
  it('gives a call up in time, and makes no more of them while too many wait for Redis', async () => {
    const answers: ((count: number) => void)[] = [];
    const queue = { count: () => new Promise<number>((resolve) => answers.push(resolve)) } as unknown as Queue;
    const queues = new JobQueues(queue, queue, logger);
    for (let call = 0; call < UNANSWERED_AT_MOST + 10; call += 1) expect(await queues.reachable(1)).toBe(false);
    expect(answers).toHaveLength(UNANSWERED_AT_MOST);
    await expect(queues.add('token-purge', 'x', {}, { jobId: 'x' })).rejects.toThrow(QueueUnavailable);
    // Redis is back: what waited is answered, and calls are made again
    for (const answer of answers.splice(0)) answer(0);
    await new Promise((resolve) => setImmediate(resolve));
    const reachable = queues.reachable(1_000);
    answers[0]?.(0);
    expect(await reachable).toBe(true);
  });

  it('passes on what Redis answers, and what it refuses', async () => {
    const refusal = new Error('OOM command not allowed');
    const queue = { count: () => Promise.resolve(3), add: () => Promise.reject(refusal) } as unknown as Queue;
    const queues = new JobQueues(queue, queue, logger);
    expect(await queues.within(() => queues.get('maintenance').count())).toBe(3);
    await expect(queues.add('token-purge', 'x', {}, { jobId: 'x' })).rejects.toBe(refusal);
  });
});
