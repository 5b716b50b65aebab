import { describe, expect, it } from '@jest/globals';
import { BoundedCalls, QueueUnavailable } from './bounded-calls.ts';

const MAX_UNANSWERED = 50;

describe('calls to Redis', () => {
  it('time out, and fail immediately while too many wait', async () => {
    const answers: ((count: number) => void)[] = [];
    const call = () => new Promise<number>((resolve) => answers.push(resolve));
    const calls = new BoundedCalls();
    for (let made = 0; made < MAX_UNANSWERED + 10; made += 1) {
      await expect(calls.within(call, 1)).rejects.toThrow(QueueUnavailable);
    }
    expect(answers).toHaveLength(MAX_UNANSWERED);
    // Redis is back: what waited is answered, and calls are made again
    for (const answer of answers.splice(0)) answer(0);
    await new Promise((resolve) => setImmediate(resolve));
    const count = calls.within(call, 1_000);
    answers[0]?.(7);
    expect(await count).toBe(7);
  });

  it('return what Redis answers, and its errors', async () => {
    const refusal = new Error('OOM command not allowed');
    const calls = new BoundedCalls();
    expect(await calls.within(() => Promise.resolve(3))).toBe(3);
    await expect(calls.within(() => Promise.reject(refusal))).rejects.toBe(refusal);
  });
});
