import { readFileSync, readdirSync } from 'node:fs';
import { getPriority } from 'node:os';
import { describe, expect, it, jest } from '@jest/globals';
import { parseOptions } from '@node-rs/argon2';
import { Passwords } from './passwords.ts';

const password = 'correct horse battery staple';
const SOURCE = { address: '192.0.2.1', username: 'ada' };

async function isRight(
  passwords: Passwords,
  user: { id: string; passwordHash: string } | undefined,
  given: string,
): Promise<boolean> {
  return (await passwords.verify(() => Promise.resolve(user), given, SOURCE)).isRight;
}

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/** What it costs in all threads of this process. Wall times would tell more of what else runs on the machine. */
async function processorMs(work: () => Promise<unknown>): Promise<number> {
  const begun = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / 1000;
}

describe('Passwords', () => {
  it('hashes with Argon2id and at least the parameters of OWASP', async () => {
    const hash = await new Passwords().hash(password);
    expect(hash).toMatch(/^\$argon2id\$/);
    const { memoryCost, timeCost, parallelism } = parseOptions(hash);
    expect(memoryCost).toBeGreaterThanOrEqual(19_456);
    expect(timeCost).toBeGreaterThanOrEqual(2);
    expect(parallelism).toBe(1);
    expect(await new Passwords().hash(password)).not.toBe(hash);
  });

  (process.platform === 'linux' ? it : it.skip)(
    'works in threads that leave the processor to the event loop',
    async () => {
      // field 19 of proc_pid_stat(5); the name before it may hold anything
      const nicenessOf = (thread: string): number =>
        Number(readFileSync(`/proc/self/task/${thread}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[16]);
      const loop = getPriority();
      const passwords = new Passwords();
      await passwords.hash(password);
      expect(readdirSync('/proc/self/task').map(nicenessOf)).toContain(Math.min(loop + 5, 19));
      expect(getPriority()).toBe(loop);
      await passwords.onApplicationShutdown();
    },
  );

  it('tells the right password from a wrong one, also after it was right once', async () => {
    const passwords = new Passwords();
    const user = { id: 'us_1', passwordHash: await passwords.hash(password) };
    for (let i = 0; i < 2; i += 1) {
      expect(await isRight(passwords, user, password)).toBe(true);
      expect(await isRight(passwords, user, `${password} `)).toBe(false);
      expect(await isRight(passwords, user, '')).toBe(false);
      expect(await isRight(passwords, undefined, password)).toBe(false);
    }
  });

  it('accepts a password in any Unicode composition', async () => {
    const passwords = new Passwords();
    const user = { id: 'us_1', passwordHash: await passwords.hash('za\u0308hneputzen und so') };
    expect(await isRight(passwords, user, 'z\u00e4hneputzen und so')).toBe(true);
  });

  it('caches a right password together with the hash it matched', async () => {
    const passwords = new Passwords();
    const before = { id: 'us_1', passwordHash: await passwords.hash(password) };
    const after = { id: 'us_1', passwordHash: await passwords.hash('another horse battery') };
    expect(await isRight(passwords, before, password)).toBe(true);
    expect(await isRight(passwords, after, password)).toBe(false);
  });

  it('verifies from memory the second time', async () => {
    const passwords = new Passwords();
    const user = { id: 'us_1', passwordHash: await passwords.hash(password) };
    const first = await milliseconds(() => isRight(passwords, user, password));
    const hundred = await milliseconds(async () => {
      for (let i = 0; i < 100; i += 1) await isRight(passwords, user, password);
    });
    expect(hundred / 100).toBeLessThan(first / 5);
  });

  it('takes as long for an unknown user as for a wrong password', async () => {
    const passwords = new Passwords();
    const user = { id: 'us_1', passwordHash: await passwords.hash(password) };
    await isRight(passwords, undefined, 'warm up, the dummy is made once');
    const samples = { nobody: [] as number[], somebody: [] as number[] };
    for (let i = 0; i < 15; i += 1) {
      samples.nobody.push(await processorMs(() => isRight(passwords, undefined, `wrong ${i}`)));
      samples.somebody.push(await processorMs(() => isRight(passwords, user, `wrong ${i}`)));
    }
    // the least of each: whatever else runs in this process only adds
    const ratio = Math.min(...samples.nobody) / Math.min(...samples.somebody);
    expect(ratio).toBeGreaterThan(0.6);
    expect(ratio).toBeLessThan(1.7);
  });

  it('reads no user for a password that is dropped because the queue is full', async () => {
    const passwords = new Passwords();
    const find = jest.fn(() => Promise.resolve(undefined));
    const results = await Promise.allSettled(
      Array.from({ length: 100 }, (_, index) => passwords.verify(find, `wrong ${index}`, SOURCE)),
    );
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused).toHaveLength(50);
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 'too-busy', retryAfterSeconds: 1 });
    expect(find).toHaveBeenCalledTimes(50);
  });
});
