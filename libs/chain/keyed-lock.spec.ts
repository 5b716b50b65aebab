import { describe, expect, it } from '@jest/globals';
import { KeyedLock } from './keyed-lock.ts';

const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('KeyedLock', () => {
  it('serializes holders of one key', async () => {
    const lock = new KeyedLock();
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await pause();
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 20 }, () => lock.run(['a'], work)));
    expect(most).toBe(1);
  });

  it('does not delay other keys', async () => {
    const lock = new KeyedLock();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const blocked = lock.run(['a'], () => promise);
    expect(await lock.run(['b'], () => Promise.resolve('through'))).toBe('through');
    resolve(undefined);
    await blocked;
  });

  it('does not deadlock for any order of keys', async () => {
    const lock = new KeyedLock();
    const both = Array.from({ length: 10 }, (_, i) => lock.run(i % 2 ? ['a', 'b'] : ['b', 'a'], pause));
    await expect(Promise.all(both)).resolves.toHaveLength(10);
  });

  it('locks a repeated key once, and frees it after a failure', async () => {
    const lock = new KeyedLock();
    await expect(lock.run(['a', 'a'], () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await lock.run(['a'], () => Promise.resolve('free'))).toBe('free');
  });
});
