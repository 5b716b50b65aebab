import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Redis } from 'ioredis';
import { loadConfig } from '#config';
import { GuessLimiter } from '#guess-limits';
import { DomainError } from '#kernel';
import { Metrics, createLogger } from '#observability';
import type { RedisNamespace } from '#redis';
import { unique } from '../support/builders.ts';
import { TestDatabase } from '../support/database.ts';
import { eventually } from '../support/service.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const PER_CLIENT = 5;
const PER_ADDRESS = 12;
const database = new TestDatabase();
const redisUrl = new URL(database.redisUrl);
const proxy = new TcpProxy({ host: redisUrl.hostname, port: Number(redisUrl.port) });
const metrics = new Metrics();
const namespace = { prefix: () => Promise.resolve(`{latchkey-${database.name}}`) } as RedisNamespace;
const running = new Set<GuessLimiter>();
let addresses = 0;

/** The limiter of one instance. */
function limiter(throughProxy = false): GuessLimiter {
  const config = loadConfig({
    MONGODB_URI: database.uri,
    REDIS_URL: throughProxy ? proxy.urlFor(database.redisUrl) : database.redisUrl,
    GUESS_LIMIT_PER_CLIENT: String(PER_CLIENT),
    GUESS_LIMIT_PER_ADDRESS: String(PER_ADDRESS),
  });
  const guesses = new GuessLimiter(config, createLogger('silent'), metrics, namespace);
  running.add(guesses);
  return guesses;
}

function close(guesses: GuessLimiter): void {
  guesses.onApplicationShutdown();
  running.delete(guesses);
}

/** An address that nothing has come from yet. */
function anAddress(): string {
  addresses += 1;
  return `192.0.${Math.floor(addresses / 250)}.${(addresses % 250) + 1}`;
}

type Outcome = 'wrong' | 'limited';

async function outcomeOf(work: Promise<unknown>): Promise<Outcome> {
  try {
    await work;
    return 'wrong';
  } catch (error) {
    if (error instanceof DomainError && error.code === 'too-many-attempts') return 'limited';
    throw error;
  }
}

/** A wrong password: counted, looked at, and found wrong. */
function wrongPassword(guesses: GuessLimiter, id: string, address: string): Promise<Outcome> {
  return outcomeOf(guesses.attemptPassword(id, address).then((attempt) => attempt.keep()));
}

function wrongSecret(guesses: GuessLimiter, id: string, address: string, secret = unique('secret')): Promise<Outcome> {
  return outcomeOf(guesses.countWrongSecret(id, address, secret));
}

async function countOf(outcomes: readonly Promise<Outcome>[]): Promise<Record<Outcome, number>> {
  const counts = { wrong: 0, limited: 0 };
  for (const outcome of await Promise.all(outcomes)) counts[outcome] += 1;
  return counts;
}

function times<T>(n: number, make: (index: number) => T): T[] {
  return Array.from({ length: n }, (_, index) => make(index));
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
  it.each([
    ['passwords', wrongPassword],
    ['secrets', wrongSecret],
  ])('accepts exactly the limit of wrong %s, across three instances at the same time', async (_what, guess) => {
    const instances = [limiter(), limiter(), limiter()];
    const [id, address] = [unique('id'), anAddress()];
    const outcomes = times(60, (index) => guess(instances[index % 3]!, id, address));
    expect(await countOf(outcomes)).toStrictEqual({ wrong: PER_CLIENT, limited: 60 - PER_CLIENT });
    for (const guesses of instances) expect(await guess(guesses, id, address)).toBe('limited');
  });

  it('locks out neither the id at another address nor another id at this one', async () => {
    const guesses = limiter();
    const [id, address] = [unique('id'), anAddress()];
    await countOf(times(PER_CLIENT, () => wrongPassword(guesses, id, address)));
    expect(await wrongPassword(guesses, id, anAddress())).toBe('wrong');
    expect(await wrongPassword(guesses, unique('id'), address)).toBe('wrong');
  });

  it('limits an address across all ids', async () => {
    const [one, other] = [limiter(), limiter()];
    const address = anAddress();
    const outcomes = times(30, (index) => wrongSecret(index % 2 === 0 ? one : other, unique('id'), address));
    expect(await countOf(outcomes)).toStrictEqual({ wrong: PER_ADDRESS, limited: 30 - PER_ADDRESS });
    expect(await wrongSecret(one, unique('id'), anAddress())).toBe('wrong');
  });

  it('reports when to retry', async () => {
    const guesses = limiter();
    const [id, address] = [unique('id'), anAddress()];
    await countOf(times(PER_CLIENT, () => wrongPassword(guesses, id, address)));
    const refused: unknown = await guesses.attemptPassword(id, address).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(DomainError);
    expect((refused as DomainError).retryAfterSeconds).toBeGreaterThan(280);
    expect((refused as DomainError).retryAfterSeconds).toBeLessThanOrEqual(300);
  });

  it('does not count an attempt that is taken back, here and on another instance', async () => {
    const [one, other] = [limiter(), limiter()];
    const [id, address] = [unique('id'), anAddress()];
    for (let count = 0; count < 3 * PER_ADDRESS; count += 1) (await one.attemptPassword(id, address)).giveBack();
    await wrongPassword(one, id, address);
    const rest = times(PER_CLIENT - 1, () => wrongPassword(other, id, address));
    expect(await countOf(rest)).toStrictEqual({ wrong: PER_CLIENT - 1, limited: 0 });
    expect(await wrongPassword(other, id, address)).toBe('limited');
  });

  it('releases the counts of attempts in progress if they turn out right', async () => {
    const [one, other] = [limiter(), limiter()];
    const [id, address] = [unique('id'), anAddress()];
    const underWay = await Promise.all(times(PER_CLIENT, () => one.attemptPassword(id, address)));
    expect(await wrongPassword(other, id, address)).toBe('limited');
    for (const attempt of underWay) attempt.giveBack();
    await eventually(async () => (await wrongPassword(other, id, address)) === 'wrong');
  });

  it('counts one wrong secret once towards the limit of its address, even if it is repeated', async () => {
    const guesses = limiter();
    const address = anAddress();
    const [id, secret] = [unique('id'), unique('secret')];
    await countOf(times(40, () => wrongSecret(guesses, id, address, secret)));
    const others = times(PER_ADDRESS, () => wrongSecret(guesses, unique('id'), address));
    expect(await countOf(others)).toStrictEqual({ wrong: PER_ADDRESS - 1, limited: 1 });
  });

  it('still checks one attempt for a person who is not being guessed at, from a limited address', async () => {
    const [one, other] = [limiter(), limiter()];
    const address = anAddress();
    const [guessedAt, unsuspected] = [unique('user'), unique('user')];
    expect(await wrongPassword(one, guessedAt, address)).toBe('wrong');
    await countOf(times(PER_ADDRESS, () => wrongSecret(one, unique('id'), address)));
    for (const guesses of [one, other]) {
      await expect(guesses.attemptPassword(guessedAt, address)).rejects.toMatchObject({ code: 'too-many-attempts' });
      const attempt = await guesses.attemptPassword(unsuspected, address);
      // a wrong password is told the same as one that nobody looked at
      expect(() => attempt.keep()).toThrow('too many failed sign-ins');
      await expect(guesses.attemptPassword(unsuspected, address)).rejects.toMatchObject({ code: 'too-many-attempts' });
    }
  });

  it('counts an IPv6 address by its /64, and by its /48 with ten times the limit', async () => {
    const guesses = limiter();
    const id = unique('id');
    const inOne64 = times(20, (index) => wrongPassword(guesses, id, `2001:db8:1:1::${index + 1}`));
    expect(await countOf(inOne64)).toStrictEqual({ wrong: PER_CLIENT, limited: 20 - PER_CLIENT });
    const inOne48 = times(10 * PER_CLIENT, (index) =>
      wrongPassword(guesses, id, `2001:db8:1:${(index + 2).toString(16)}::1`),
    );
    expect(await countOf(inOne48)).toStrictEqual({ wrong: 9 * PER_CLIENT, limited: PER_CLIENT });
    expect(await wrongPassword(guesses, id, '2001:db8:2:1::1')).toBe('wrong');
  });

  it('survives a restart', async () => {
    const [id, address] = [unique('id'), anAddress()];
    const before = limiter();
    await countOf(times(PER_CLIENT, () => wrongPassword(before, id, address)));
    close(before);
    expect(await wrongPassword(limiter(), id, address)).toBe('limited');
  });

  it('refuses from memory if it knows the limit is reached', async () => {
    const guesses = limiter(true);
    const [id, address] = [unique('id'), anAddress()];
    await countOf(times(PER_CLIENT, () => wrongPassword(guesses, id, address)));
    await proxy.away();
    try {
      const before = await missed();
      for (let count = 0; count < 1_000; count += 1) expect(await wrongPassword(guesses, id, address)).toBe('limited');
      expect(await missed()).toBe(before);
    } finally {
      await proxy.open();
    }
  });

  it('stores no submitted value in Redis, and no key without expiry', async () => {
    const guesses = limiter();
    const address = anAddress();
    await countOf(times(PER_CLIENT, () => wrongSecret(guesses, 'canary-4711', address, 'canary-4712')));
    const redis = new Redis(database.redisUrl);
    try {
      let keys = 0;
      for await (const found of redis.scanStream({ match: `*${database.name}*:guess:*` })) {
        for (const key of found as string[]) {
          keys += 1;
          const dump = await redis.dumpBuffer(key);
          expect(key + dump.toString('latin1')).not.toContain('canary');
          expect(await redis.pttl(key)).toBeGreaterThan(0);
        }
      }
      expect(keys).toBeGreaterThanOrEqual(2);
    } finally {
      redis.disconnect();
    }
  });

  it('creates no key in Redis for names that a limited address tries', async () => {
    const guesses = limiter();
    const address = anAddress();
    await countOf(times(PER_ADDRESS, () => wrongSecret(guesses, unique('id'), address)));
    const redis = new Redis(database.redisUrl);
    try {
      const before = await redis.dbsize();
      await countOf(times(100, () => wrongPassword(guesses, unique('user'), address)));
      await countOf(times(100, () => wrongSecret(guesses, unique('id'), address)));
      expect((await redis.dbsize()) - before).toBeLessThan(50); // other suites use the same Redis
    } finally {
      redis.disconnect();
    }
  });
});

async function millisecondsOf(work: () => Promise<unknown>): Promise<number> {
  const beganAtMs = performance.now();
  await work();
  return performance.now() - beganAtMs;
}

async function missed(): Promise<number> {
  return (await metrics.guessLimiterDown.get()).values.reduce((sum, { value }) => sum + value, 0);
}

describe('the guess limiter without Redis', () => {
  it.each(['away', 'hanging'] as const)('works while Redis is %s, with a count per instance', async (how) => {
    const guesses = limiter(true);
    const [id, address] = [unique('id'), anAddress()];
    expect(await wrongPassword(guesses, id, address)).toBe('wrong');
    const missedBefore = await missed();
    if (how === 'away') await proxy.away();
    else proxy.hang(true);
    try {
      for (let count = 1; count < PER_CLIENT; count += 1) {
        expect(await wrongPassword(guesses, id, address)).toBe('wrong');
      }
      expect(await wrongPassword(guesses, id, address)).toBe('limited');
      const other = times(60, () => wrongSecret(guesses, unique('id'), address));
      expect(await countOf(other)).toStrictEqual({ wrong: PER_ADDRESS - PER_CLIENT, limited: 60 - 7 });
      expect(await missed()).toBeGreaterThan(missedBefore + 5);
    } finally {
      if (how === 'away') await proxy.open();
      else proxy.hang(false);
    }
  });

  it('lets a sign-in wait for a silent Redis for a quarter of a second at most, and then none for some seconds', async () => {
    const instances = [limiter(true), limiter(true), limiter(true)];
    for (const guesses of instances) await wrongPassword(guesses, unique('id'), anAddress());
    proxy.hang(true);
    try {
      const waits: { first: number; next: number }[] = [];
      for (const guesses of instances) {
        const first = await millisecondsOf(() => wrongPassword(guesses, unique('id'), anAddress()));
        const next = await millisecondsOf(() => wrongPassword(guesses, unique('id'), anAddress()));
        waits.push({ first, next });
      }
      // the quickest of three: a busy machine only adds
      expect(Math.min(...waits.map(({ first }) => first))).toBeGreaterThan(200);
      expect(Math.min(...waits.map(({ first }) => first))).toBeLessThan(800);
      expect(Math.min(...waits.map(({ next }) => next))).toBeLessThan(100);
    } finally {
      proxy.hang(false);
    }
  });

  it('counts in Redis again when it is available', async () => {
    const guesses = limiter(true);
    const other = limiter();
    await proxy.away();
    await wrongPassword(guesses, unique('id'), anAddress());
    await proxy.open();
    await eventually(async () => {
      const [id, address] = [unique('id'), anAddress()];
      await countOf(times(PER_CLIENT, () => wrongPassword(guesses, id, address)));
      await pause(300);
      return (await wrongPassword(other, id, address)) === 'limited';
    });
  });

  it('closes without delay if Redis was never available', async () => {
    await proxy.away();
    try {
      const guesses = limiter(true);
      expect(await wrongPassword(guesses, unique('id'), anAddress())).toBe('wrong');
      const disconnect = jest.spyOn(Redis.prototype, 'disconnect');
      close(guesses); // returns nothing that could be waited for
      expect(disconnect).toHaveBeenCalledTimes(1); // unlike `quit`, which waits for an answer
      disconnect.mockRestore();
    } finally {
      await proxy.open();
    }
  });
});
