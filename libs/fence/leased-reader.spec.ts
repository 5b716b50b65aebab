import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Fence } from './fence.ts';
import { LEASE_CEILING_MS, LeasedReader, leaseRunOut } from './leased-reader.ts';
import { aFence } from './test-support/fences.ts';

/** Documents without a rights version: what is remembered of them ends with the lease. */
const KIND = { scopeOf: () => 'op_1', dependsOn: 'rights' } as const;

describe('LeasedReader', () => {
  let nowMs = 1_000;
  let stored: Map<string, { value: number }>;
  let queries = 0;

  const reader = (leaseMs: number): LeasedReader<{ value: number }> =>
    new LeasedReader(aFence(leaseMs), {
      ...KIND,
      load: (keys) => {
        queries += 1;
        return Promise.resolve(new Map(keys.flatMap((key) => (stored.has(key) ? [[key, stored.get(key)!]] : []))));
      },
    });

  beforeEach(() => {
    queries = 0;
    stored = new Map([['a', { value: 1 }]]);
    // both clocks: a slow machine must not run a lease out
    jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
    jest.spyOn(Date, 'now').mockImplementation(() => nowMs);
  });

  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('queries the store once within the lease', async () => {
    const leased = reader(250);
    expect(await leased.get('a')).toEqual({ value: 1 });
    nowMs += 249;
    stored.set('a', { value: 2 });
    expect(await leased.get('a')).toEqual({ value: 1 });
    expect(queries).toBe(1);
  });

  it('discards entries when the lease expires', async () => {
    const leased = reader(250);
    await leased.get('a');
    stored.set('a', { value: 2 });
    nowMs += 250;
    expect(leased.peek('a')).toBeUndefined();
    expect(await leased.get('a')).toEqual({ value: 2 });
  });

  it('counts the lease from before the fence was sent, however late the reply is', async () => {
    const leased = new LeasedReader<{ value: number }>(aFence(), {
      ...KIND,
      load: (keys) => {
        nowMs += 200; // the store takes its time
        return Promise.resolve(new Map(keys.map((key) => [key, { value: 1 }])));
      },
    });
    await leased.get('a');
    nowMs += 49;
    expect(leased.peek('a')).toEqual({ value: 1 });
    nowMs += 1;
    expect(leased.peek('a')).toBeUndefined();
  });

  it('never caches an absence', async () => {
    const leased = reader(250);
    expect(await leased.get('b')).toBeUndefined();
    stored.set('b', { value: 3 });
    expect(await leased.get('b')).toEqual({ value: 3 });
  });

  it('caches nothing with a lease of 0', async () => {
    const leased = reader(0);
    await leased.get('a');
    expect(leased.peek('a')).toBeUndefined();
  });

  it('discards an entry on request', async () => {
    const leased = reader(250);
    await leased.get('a');
    leased.forget('a');
    expect(leased.peek('a')).toBeUndefined();
  });
});

describe('LeasedReader, for frequently used entries', () => {
  let nowMs = 1_000;

  /** A store whose queries are answered by hand. */
  function manual(): {
    readonly fence: Fence;
    readonly leased: LeasedReader<{ value: number }>;
    readonly queries: { readonly keys: string[]; answer: (value?: number) => void; fail: () => void }[];
  } {
    const queries: ReturnType<typeof manual>['queries'] = [];
    const load = (keys: string[]): Promise<Map<string, { value: number }>> =>
      new Promise((resolve, reject) => {
        queries.push({
          keys,
          answer: (value) => resolve(new Map(value === undefined ? [] : keys.map((key) => [key, { value }]))),
          fail: () => reject(new Error('gone')),
        });
      });
    const fence = aFence();
    return { fence, leased: new LeasedReader(fence, { ...KIND, load }), queries };
  }

  /**
   * A reader that remembers `a` and `b` since `nowMs`, and has just been asked for them in the second half of their
   * lease.
   */
  async function refreshing(): Promise<ReturnType<typeof manual>> {
    const { fence, leased, queries } = manual();
    const first = Promise.all([leased.get('a'), leased.get('b')]);
    await sent(queries, 1);
    queries[0]?.answer(1);
    await first;
    nowMs += 130;
    await fencedNow(fence);
    for (const key of ['a', 'b']) expect(leased.peek(key)).toEqual({ value: 1 });
    await sent(queries, 2);
    return { fence, leased, queries };
  }

  /** Waits for a fence that was sent at `nowMs`. */
  async function fencedNow(fence: Fence): Promise<void> {
    while (fence.current()?.sentAtMs !== nowMs) await pause(5);
  }

  async function sent(queries: readonly unknown[], count: number): Promise<void> {
    while (queries.length < count) await pause(1); // Jest's time limit ends it
  }

  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  beforeEach(() => {
    // both clocks: a slow machine must not run a lease out
    jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
    jest.spyOn(Date, 'now').mockImplementation(() => nowMs);
  });

  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('refreshes them before their lease expires, many keys in one query', async () => {
    const { leased, queries } = await refreshing();
    expect(queries[1]?.keys).toEqual(['a', 'b']);
    nowMs += 20; // on its way
    queries[1]?.answer(2);
    await settled();
    nowMs += 229;
    for (const key of ['a', 'b']) expect(leased.peek(key)).toEqual({ value: 2 });
    nowMs += 1;
    expect(leased.peek('a')).toBeUndefined();
  });

  it('does not refresh unused entries', async () => {
    const { fence, leased, queries } = manual();
    const first = Promise.all([leased.get('a'), leased.get('b')]);
    await sent(queries, 1);
    queries[0]?.answer(1);
    await first;
    nowMs += 130;
    await fencedNow(fence);
    leased.peek('a');
    await sent(queries, 2);
    expect(queries[1]?.keys).toEqual(['a']);
  });

  it('lets the lease expire if the store fails', async () => {
    const { leased, queries } = await refreshing();
    queries[1]?.fail();
    await settled();
    expect(leased.peek('a')).toEqual({ value: 1 });
    nowMs += 120;
    expect(leased.peek('a')).toBeUndefined();
  });

  it('discards entries that the store no longer has', async () => {
    const { leased, queries } = await refreshing();
    queries[1]?.answer(undefined);
    await settled();
    expect(leased.peek('a')).toBeUndefined();
  });

  it('does not restore an entry that was discarded during its read', async () => {
    const { leased, queries } = await refreshing();
    leased.forget('a');
    queries[1]?.answer(1);
    await settled();
    expect(leased.peek('a')).toBeUndefined();
    expect(leased.peek('b')).toEqual({ value: 1 });
  });

  it('does not replace a newer answer with an older one', async () => {
    const { leased, queries } = await refreshing();
    nowMs += 10;
    const fresh = leased.fresh('a');
    await sent(queries, 3);
    queries[2]?.answer(3);
    await fresh;
    queries[1]?.answer(2);
    await settled();
    expect(leased.peek('a')).toEqual({ value: 3 });
    expect(leased.peek('b')).toEqual({ value: 2 });
  });
});

describe('leaseRunOut', () => {
  it('waits for the full lease after the commit', async () => {
    const committedAtMs = performance.now();
    await leaseRunOut(committedAtMs);
    expect(performance.now() - committedAtMs).toBeGreaterThanOrEqual(LEASE_CEILING_MS);
  });

  it('does not wait if the lease has already expired', async () => {
    const timers = jest.spyOn(globalThis, 'setTimeout');
    await leaseRunOut(performance.now() - LEASE_CEILING_MS - 1_000);
    expect(timers).not.toHaveBeenCalled();
    timers.mockRestore();
  });
});
