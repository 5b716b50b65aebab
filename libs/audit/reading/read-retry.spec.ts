import { describe, expect, it } from '@jest/globals';
import { Stopping } from '#events';
import { storeUnavailable } from '#mongo';
import { ReadRetry } from './read-retry.ts';

/** A read that fails so often before it succeeds. */
function failing(times: number, error: () => Error = storeUnavailable) {
  const read = { calls: 0 };
  const run = (): Promise<string> => {
    read.calls += 1;
    return read.calls > times ? Promise.resolve('value') : Promise.reject(error());
  };
  return { read, run };
}

describe('ReadRetry', () => {
  it('reads again while the store is unavailable', async () => {
    const { read, run } = failing(2);
    expect(await new ReadRetry(new Stopping()).run(run)).toBe('value');
    expect(read.calls).toBe(3);
  });

  it('does not retry another error', async () => {
    const { read, run } = failing(1, () => new Error('a fault'));
    await expect(new ReadRetry(new Stopping()).run(run)).rejects.toThrow('a fault');
    expect(read.calls).toBe(1);
  });

  it('gives up when the service shuts down, which must not wait for the store', async () => {
    const stopping = new Stopping();
    const { read, run } = failing(Infinity);
    const outcome = expect(new ReadRetry(stopping).run(run)).rejects.toMatchObject({ code: 'store-unavailable' });
    stopping.onModuleDestroy();
    await outcome;
    expect(read.calls).toBeLessThanOrEqual(2);
  });

  it('lets a read that succeeds end also while the service shuts down', async () => {
    const stopping = new Stopping();
    stopping.onModuleDestroy();
    expect(await new ReadRetry(stopping).run(failing(0).run)).toBe('value');
  });
});
