import { describe, expect, it } from '@jest/globals';
import { Turns } from './turns.ts';

describe('turns', () => {
  it('are given to one at a time, in the order of requests', async () => {
    const turns = new Turns();
    const first = await turns.take('a');
    const order: number[] = [];
    const others = [1, 2, 3].map(async (i) => {
      const give = await turns.take('a');
      order.push(i);
      give?.();
    });
    expect(order).toEqual([]);
    first?.();
    await Promise.all(others);
    expect(order).toEqual([1, 2, 3]);
    expect(await turns.take('a')).not.toBeNull();
  });

  it('for one document do not wait for those of another', async () => {
    const turns = new Turns();
    await turns.take('a');
    expect(await turns.take('b')).not.toBeNull();
  });

  it('are refused to a fifth waiter, and after a time limit', async () => {
    const turns = new Turns();
    const give = await turns.take('a');
    const settled: unknown[] = [];
    const waiting = [1, 2, 3, 4, 5].map((i) => turns.take('a').then((turn) => settled.push([i, turn])));
    await waiting[4];
    expect(settled).toEqual([[5, null]]);
    await Promise.all(waiting);
    expect(settled.slice(1)).toEqual([1, 2, 3, 4].map((i) => [i, null]));
    give?.();
    expect(await turns.take('a')).not.toBeNull();
  });

  it('released twice are passed on once', async () => {
    const turns = new Turns();
    const first = await turns.take('a');
    first?.();
    const second = await turns.take('a');
    first?.();
    const third = turns.take('a');
    expect(await Promise.race([third, Promise.resolve('waits')])).toBe('waits');
    second?.();
    expect(await third).not.toBeNull();
  });
});
