import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { storeUnavailable } from '#mongo';
import { IssueLane } from './issue-lane.ts';
import type { WaitingIssue } from './issue-lane.ts';

const COMMIT_MS = 8;

describe('IssueLane', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  let idle = 0;
  const sizes: number[] = [];
  let fail: (batch: readonly WaitingIssue[]) => Error | undefined;
  let lane: IssueLane;
  beforeEach(() => {
    sizes.length = 0;
    idle = 0;
    fail = () => undefined;
    lane = new IssueLane(
      async (batch) => {
        sizes.push(batch.length);
        await new Promise((resolve) => setTimeout(resolve, COMMIT_MS));
        const error = fail(batch);
        if (error !== undefined) throw error;
        for (const { resolve } of batch) resolve({ stale: true });
      },
      () => (idle += 1),
    );
  });

  /** @param deadlineAtMs by `performance.now()` */
  function ask(deadlineAtMs = Infinity): Promise<unknown> {
    return new Promise((resolve, reject) =>
      lane.add({ issue: { request: { deadlineAtMs } } as WaitingIssue['issue'], resolve, reject }),
    );
  }
  const passed = (ms: number): Promise<unknown> => jest.advanceTimersByTimeAsync(ms);

  it('commits requests of one event-loop turn together, without waiting', async () => {
    const all = Promise.all([ask(), ask(), ask()]);
    await passed(0);
    expect(sizes).toEqual([3]);
    await passed(COMMIT_MS);
    await all;
    expect(idle).toBe(1);
  });

  it('waits after a batch for clients that ask again, and starts as soon as all of them have', async () => {
    const first = [ask(), ask(), ask()];
    await passed(COMMIT_MS - 1);
    void ask();
    await passed(1);
    await Promise.all(first);
    void ask();
    void ask();
    await passed(0);
    expect(sizes).toEqual([3]);
    void ask();
    await passed(0);
    expect(sizes).toEqual([3, 4]);
  });

  it('waits no longer than a quarter of the duration of their batch', async () => {
    const first = [ask(), ask(), ask()];
    await passed(COMMIT_MS);
    await Promise.all(first);
    void ask();
    await passed(COMMIT_MS / 4 - 1);
    expect(sizes).toEqual([3]);
    await passed(2);
    expect(sizes).toEqual([3, 1]);
  });

  it('does not delay a request that arrives later', async () => {
    const first = [ask(), ask(), ask()];
    await passed(10 * COMMIT_MS);
    await Promise.all(first);
    void ask();
    await passed(0);
    expect(sizes).toEqual([3, 1]);
  });

  it('tries the requests of a failed batch one by one', async () => {
    const bad = new Error('bad');
    fail = (batch) => (batch.length > 1 || sizes.length === 3 ? bad : undefined);
    const outcomes = Promise.allSettled([ask(), ask(), ask()]);
    await passed(10 * COMMIT_MS);
    expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(sizes).toEqual([3, 1, 1, 1]);
  });

  it('rejects the whole batch if the store is unavailable, and expired requests without trying', async () => {
    fail = () => storeUnavailable();
    const outcomes = Promise.allSettled([ask(), ask(), ask(performance.now() - 1)]);
    await passed(COMMIT_MS);
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(sizes).toEqual([2]);
  });
});
