import { describe, expect, it } from '@jest/globals';
import { FairQueue, QueueFull } from './fair-queue.ts';

/** A queue, and what ran in it: each piece of work runs until it is ended by its name. */
function observed(maxRunning: number, maxWaiting: number) {
  const queue = new FairQueue(maxRunning, maxWaiting);
  const running = new Map<string, () => void>();
  const log = { begun: [] as string[], dropped: [] as string[], most: 0 };
  const bring = (source: string, name: string, { subject = name, used = 0 } = {}): void => {
    const work = (): Promise<void> =>
      new Promise((resolve) => {
        log.begun.push(name);
        running.set(name, resolve);
        log.most = Math.max(log.most, running.size);
      });
    queue.run({ source, subject, used }, work).catch((error: unknown) => {
      if (!(error instanceof QueueFull)) throw error;
      log.dropped.push(name);
    });
  };
  const endAll = async (): Promise<void> => {
    for (let idle = 0; idle < 3;) {
      await new Promise(setImmediate);
      idle = running.size === 0 ? idle + 1 : 0;
      for (const [name, end] of [...running]) {
        running.delete(name);
        end();
      }
    }
  };
  return { log, bring, endAll };
}

const names = (prefix: string, n: number): string[] => Array.from({ length: n }, (_, index) => `${prefix}${index}`);

describe('FairQueue', () => {
  it('runs up to its limit at a time, and finally all', async () => {
    const { log, bring, endAll } = observed(2, 100);
    for (const name of names('a', 20)) bring('a', name);
    await endAll();
    expect(log.begun).toHaveLength(20);
    expect(log.most).toBe(2);
    expect(log.dropped).toEqual([]);
  });

  it('rotates among sources, even if one queued many before', async () => {
    const { log, bring, endAll } = observed(1, 100);
    for (const name of names('a', 10)) bring('a', name);
    bring('b', 'b0');
    bring('c', 'c0');
    bring('b', 'b1');
    await endAll();
    // a0 was running; a has its turn first, since it waited first
    expect(log.begun.slice(0, 6)).toEqual(['a0', 'a1', 'b0', 'c0', 'a2', 'b1']);
  });

  it('rotates among the subjects of a source', async () => {
    const { log, bring, endAll } = observed(1, 100);
    for (const name of names('a', 10)) bring('address', name, { subject: 'guessed-at' });
    bring('address', 'rightful');
    await endAll();
    expect(log.begun.indexOf('rightful')).toBeLessThanOrEqual(2);
  });

  it('gives the source that used least its turn first', async () => {
    const { log, bring, endAll } = observed(1, 100);
    for (const [index, name] of names('guesser', 10).entries()) bring(name, name, { used: 10 + index });
    bring('rightful', 'rightful', { used: 1 });
    bring('guesser9', 'again', { used: 20 });
    await endAll();
    expect(log.begun.slice(1, 3)).toEqual(['rightful', 'guesser1']);
    expect(log.begun.slice(-2)).toEqual(['guesser9', 'again']);
  });

  it('when it is full drops the newest task of the source that used most', async () => {
    const { log, bring, endAll } = observed(1, 4);
    for (const [index, name] of names('a', 8).entries()) bring('a', name, { used: index + 1 });
    for (const [index, name] of names('b', 2).entries()) bring('b', name, { used: index + 1 });
    await endAll();
    expect(log.dropped).toEqual(['a5', 'a6', 'a7', 'a4', 'a3']);
    expect(log.begun).toEqual(['a0', 'b0', 'b1', 'a1', 'a2']);
  });

  it('takes someone new when it is full of sources that each wait with one task and used more', async () => {
    const { log, bring, endAll } = observed(1, 4);
    for (const name of names('guesser', 10)) bring(name, name, { used: 2 });
    bring('rightful', 'rightful', { used: 1 });
    await endAll();
    expect(log.dropped).not.toContain('rightful');
    expect(log.begun[1]).toBe('rightful');
  });

  it('drops the newcomer when no source used more', async () => {
    const { log, bring, endAll } = observed(1, 2);
    for (const source of ['a', 'b', 'c', 'd']) bring(source, source);
    await endAll();
    expect(log.dropped).toEqual(['d']);
  });

  it('continues after work that fails', async () => {
    const queue = new FairQueue(1, 10);
    const source = { source: 'a', subject: 'a', used: 0 };
    const failing = queue.run(source, () => Promise.reject(new Error('broken')));
    const following = queue.run(source, () => Promise.resolve('done'));
    await expect(failing).rejects.toThrow('broken');
    expect(await following).toBe('done');
  });
});
