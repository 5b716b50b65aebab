import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { LEASE_CEILING_MS, LeasedReader, leaseRunOut } from './leased-reader.ts';

describe('LeasedReader', () => {
  let nowMs = 1_000;
  let stored: Map<string, { value: number }>;
  let queries = 0;

  const reader = (leaseMs: number): LeasedReader<{ value: number }> =>
    new LeasedReader((keys) => {
      queries += 1;
      return Promise.resolve(new Map(keys.flatMap((key) => (stored.has(key) ? [[key, stored.get(key)!]] : []))));
    }, leaseMs);

  beforeEach(() => {
    queries = 0;
    stored = new Map([['a', { value: 1 }]]);
    jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
  });

  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('asks the store once within the lease', async () => {
    const leased = reader(250);
    expect(await leased.get('a')).toEqual({ value: 1 });
    nowMs += 249;
    stored.set('a', { value: 2 });
    expect(await leased.get('a')).toEqual({ value: 1 });
    expect(queries).toBe(1);
  });

  it('forgets when the lease is over', async () => {
    const leased = reader(250);
    await leased.get('a');
    stored.set('a', { value: 2 });
    nowMs += 250;
    expect(leased.peek('a')).toBeUndefined();
    expect(await leased.get('a')).toEqual({ value: 2 });
  });

  it('counts the lease from before the query went out, however late its answer comes', async () => {
    const leased = new LeasedReader<{ value: number }>((keys) => {
      nowMs += 200; // the store takes its time
      return Promise.resolve(new Map(keys.map((key) => [key, { value: 1 }])));
    }, 250);
    await leased.get('a');
    nowMs += 49;
    expect(leased.peek('a')).toEqual({ value: 1 });
    nowMs += 1;
    expect(leased.peek('a')).toBeUndefined();
  });

  it('never remembers that something is not there', async () => {
    const leased = reader(250);
    expect(await leased.get('b')).toBeUndefined();
    stored.set('b', { value: 3 });
    expect(await leased.get('b')).toEqual({ value: 3 });
  });

  it('remembers nothing with a lease of 0', async () => {
    const leased = reader(0);
    await leased.get('a');
    expect(leased.peek('a')).toBeUndefined();
  });

  it('forgets on request', async () => {
    const leased = reader(250);
    await leased.get('a');
    leased.forget('a');
    expect(leased.peek('a')).toBeUndefined();
  });
});

describe('leaseRunOut', () => {
  it('waits for the whole of the lease from the commit on', async () => {
    const committedAtMs = performance.now();
    await leaseRunOut(committedAtMs);
    expect(performance.now() - committedAtMs).toBeGreaterThanOrEqual(LEASE_CEILING_MS);
  });

  it('waits no more when it has passed', async () => {
    const before = performance.now();
    await leaseRunOut(before - LEASE_CEILING_MS - 1_000);
    expect(performance.now() - before).toBeLessThan(LEASE_CEILING_MS);
  });
});
