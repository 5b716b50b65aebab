import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { loadConfig } from '#config';
import { GuessLimiter } from '#identity';
import { Clock, DomainError } from '#kernel';
import { Metrics, createLogger } from '#observability';
import { unique } from '../support/builders.ts';
import { TestDatabase } from '../support/database.ts';
import { eventually } from '../support/service.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const LIMITS = { GUESS_LIMIT_PER_CLIENT: '5', GUESS_LIMIT_PER_ADDRESS: '12' };
const database = new TestDatabase();
const redisUrl = new URL(database.redisUrl);
const proxy = new TcpProxy({ host: redisUrl.hostname, port: Number(redisUrl.port) });
const metrics = new Metrics();
const running = new Set<GuessLimiter>();

class LocalClock extends Clock {
  known = true;

  override nowMs(): number {
    if (!this.known) throw new Error('the time of the store is not known');
    return Date.now();
  }
}

/** The limiter of one instance. */
function limiter(throughProxy = false, clock = new LocalClock()): GuessLimiter {
  const config = loadConfig({
    MONGODB_URI: database.uri,
    REDIS_URL: throughProxy ? proxy.urlFor(database.redisUrl) : database.redisUrl,
    ...LIMITS,
  });
  const guesses = new GuessLimiter(config, createLogger('silent'), metrics, clock);
  running.add(guesses);
  return guesses;
}

function close(guesses: GuessLimiter): void {
  guesses.onApplicationShutdown();
  running.delete(guesses);
}

/** The refusal that a sign-in would get now; undefined when it may go on. */
async function refusal(guesses: GuessLimiter, id: string, address: string): Promise<DomainError | undefined> {
  try {
    await guesses.check(id, address);
    return undefined;
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
}

async function fail(guesses: GuessLimiter, times: number, id: string, address: string): Promise<void> {
  for (let i = 0; i < times; i += 1) await guesses.failed(id, address);
}

beforeAll(() => proxy.open());
afterEach(() => {
  for (const guesses of running) close(guesses);
});
afterAll(async () => {
  await proxy.away();
  await database.drop();
});

describe('the guess limiter', () => {
  it('counts every one of the failures that come all at once', async () => {
    const guesses = limiter();
    const id = unique('client');
    const address = unique('address');
    await Promise.all(Array.from({ length: 4 }, () => guesses.failed(id, address)));
    expect(await refusal(guesses, id, address)).toBeUndefined();
    await guesses.failed(id, address);
    expect(await refusal(guesses, id, address)).toMatchObject({ code: 'too-many-attempts' });
    expect(await refusal(guesses, unique('client'), address)).toBeUndefined();
    await Promise.all(Array.from({ length: 7 }, () => guesses.failed(unique('client'), address)));
    expect(await refusal(guesses, unique('client'), address)).toMatchObject({ code: 'too-many-attempts' });
  });

  it('limits an id from one address after so many failures, and says for how long', async () => {
    const guesses = limiter();
    const id = unique('client');
    await fail(guesses, 4, id, '192.0.2.1');
    expect(await refusal(guesses, id, '192.0.2.1')).toBeUndefined();
    await fail(guesses, 1, id, '192.0.2.1');
    const refused = await refusal(guesses, id, '192.0.2.1');
    expect(refused?.code).toBe('too-many-attempts');
    expect(refused?.retryAfterSeconds).toBeGreaterThan(280);
    expect(refused?.retryAfterSeconds).toBeLessThanOrEqual(300);
  });

  it('locks out neither the id at another address nor another id at this one', async () => {
    const guesses = limiter();
    const id = unique('client');
    await fail(guesses, 5, id, '192.0.2.2');
    expect(await refusal(guesses, id, '192.0.2.2')).toBeDefined();
    expect(await refusal(guesses, id, '192.0.2.3')).toBeUndefined();
    expect(await refusal(guesses, unique('client'), '192.0.2.2')).toBeUndefined();
  });

  it('limits an address that guesses at many ids', async () => {
    const guesses = limiter();
    for (let i = 0; i < 12; i += 1) {
      expect(await refusal(guesses, unique('new'), '192.0.2.4')).toBeUndefined();
      await fail(guesses, 1, unique('client'), '192.0.2.4');
    }
    expect(await refusal(guesses, unique('new'), '192.0.2.4')).toMatchObject({ code: 'too-many-attempts' });
    expect(await refusal(guesses, unique('new'), '192.0.2.5')).toBeUndefined();
  });

  it('goes by its own count while the time of the store is not known, and by that of all afterwards', async () => {
    const clock = new LocalClock();
    const guesses = limiter(false, clock);
    const id = unique('client');
    clock.known = false;
    expect(await refusal(guesses, id, '192.0.2.20')).toBeUndefined();
    await fail(guesses, 5, id, '192.0.2.20');
    expect(await refusal(guesses, id, '192.0.2.20')).toMatchObject({ code: 'too-many-attempts' });
    const other = unique('client');
    await fail(limiter(), 5, other, '192.0.2.21');
    clock.known = true;
    await eventually(async () => (await refusal(guesses, other, '192.0.2.21')) !== undefined, 1_500);
  });

  it('counts over all instances, and tells all of them', async () => {
    const [one, two, three] = [limiter(), limiter(), limiter()];
    const id = unique('client');
    expect(await refusal(three, id, '192.0.2.6')).toBeUndefined();
    await fail(one, 3, id, '192.0.2.6');
    await fail(two, 2, id, '192.0.2.6');
    expect(await refusal(two, id, '192.0.2.6')).toBeDefined();
    for (const other of [one, three]) {
      await eventually(async () => (await refusal(other, id, '192.0.2.6')) !== undefined, 1_500);
    }
  });

  it('survives a restart', async () => {
    const id = unique('client');
    const before = limiter();
    await fail(before, 5, id, '192.0.2.7');
    close(before);
    expect(await refusal(limiter(), id, '192.0.2.7')).toMatchObject({ code: 'too-many-attempts' });
  });

  it('answers from memory while it is asked again and again', async () => {
    const guesses = limiter();
    await guesses.check('warm', '192.0.2.8');
    let promises = 0;
    const startedAt = performance.now();
    for (let i = 0; i < 20_000; i += 1) if (guesses.check(`client-${i}`, '192.0.2.8') !== undefined) promises += 1;
    expect(promises).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(500);
  });

  it('puts nothing that was sent into Redis', async () => {
    const guesses = limiter();
    await fail(guesses, 5, 'canary-4711', '192.0.2.9');
    const redis = new Redis(database.redisUrl);
    try {
      let keys = 0;
      for await (const found of redis.scanStream({ match: `*${database.name}:guess:*` })) {
        for (const key of found as string[]) {
          keys += 1;
          const dump = await redis.dumpBuffer(key);
          expect(key + dump.toString('latin1')).not.toContain('canary');
          expect(await redis.pttl(key)).toBeGreaterThan(0);
        }
      }
      expect(keys).toBeGreaterThan(2);
    } finally {
      redis.disconnect();
    }
  });
});

describe('the guess limiter without Redis', () => {
  const missed = async (): Promise<number> =>
    (await metrics.guessLimiterDown.get()).values.reduce((sum, { value }) => sum + value, 0);

  it.each(['away', 'hanging'] as const)('lets people in while Redis is %s, and counts for itself', async (how) => {
    const guesses = limiter(true);
    const id = unique('client');
    await fail(guesses, 1, id, '198.51.100.1');
    const missedBefore = await missed();
    if (how === 'away') await proxy.away();
    else proxy.hang(true);
    try {
      const startedAt = performance.now();
      await fail(guesses, 4, id, '198.51.100.1');
      expect(await refusal(guesses, id, '198.51.100.1')).toBeUndefined();
      // at most one command's time-out: then Redis is left alone
      expect(performance.now() - startedAt).toBeLessThan(400);
      await fail(guesses, 1, id, '198.51.100.1');
      expect(await refusal(guesses, id, '198.51.100.1')).toMatchObject({ code: 'too-many-attempts' });
      expect(await missed()).toBeGreaterThan(missedBefore + 5);
    } finally {
      if (how === 'away') await proxy.open();
      else proxy.hang(false);
    }
  });

  it('counts in Redis again when it is back', async () => {
    const guesses = limiter(true);
    const other = limiter();
    await proxy.away();
    await fail(guesses, 1, unique('client'), '198.51.100.2');
    await proxy.open();
    await eventually(async () => {
      const id = unique('client');
      await fail(guesses, 5, id, '198.51.100.3');
      await pause(300);
      return (await refusal(other, id, '198.51.100.3')) !== undefined;
    });
  });

  it('closes without delay while Redis was never there', async () => {
    await proxy.away();
    try {
      const guesses = limiter(true);
      expect(await refusal(guesses, 'anyone', '198.51.100.4')).toBeUndefined();
      const startedAt = performance.now();
      close(guesses);
      expect(performance.now() - startedAt).toBeLessThan(100);
    } finally {
      await proxy.open();
    }
  });
});
