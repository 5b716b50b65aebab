import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { chainName } from './chain-name.ts';
import type { LogEvent } from './chain.ts';
import { ChainTurns } from './chain-turns.ts';

const chain = chainName('op_1');
const event = (seq: number): LogEvent => ({ operationId: 'op_1', seq }) as LogEvent;

/** The second of two writers comes in, and it does not matter how long it takes this machine: time stands still. */
async function isLetInAtOnce(turns: ChainTurns): Promise<boolean> {
  let entered = false;
  const first = turns.run([chain], () => Promise.resolve());
  const second = turns.run([chain], () => {
    entered = true;
    return Promise.resolve();
  });
  await first;
  await jest.advanceTimersByTimeAsync(0);
  const atOnce = entered;
  await jest.advanceTimersByTimeAsync(20);
  await second;
  return atOnce;
}

describe('ChainTurns', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('starts the next writer immediately while no other instance writes to the chain', async () => {
    const turns = new ChainTurns();
    turns.noteCommit([event(1), event(2)]);
    turns.noteCommit([event(3)]);
    expect(turns.isShared(chain)).toBe(false);
    expect(await isLetInAtOnce(turns)).toBe(true);
  });

  it('pauses after each turn for two seconds after it saw events of other instances', async () => {
    const turns = new ChainTurns();
    turns.noteCommit([event(1)]);
    turns.noteCommit([event(3)]);
    expect(turns.isShared(chain)).toBe(true);
    expect(await isLetInAtOnce(turns)).toBe(false);
    jest.advanceTimersByTime(2_000);
    expect(turns.isShared(chain)).toBe(false);
    expect(await isLetInAtOnce(turns)).toBe(true);
  });

  it('pauses after each turn after it lost a race', async () => {
    const turns = new ChainTurns();
    turns.noteLoss([chain]);
    expect(turns.isShared(chainName('op_2'))).toBe(false);
    expect(await isLetInAtOnce(turns)).toBe(false);
  });

  /** How long the chain is left alone after a turn for which nobody else waits, in milliseconds. */
  async function leftAloneMs(turns: ChainTurns): Promise<number> {
    await turns.run([chain], () => Promise.resolve());
    const left = { entered: false, forMs: 0 };
    const next = turns.run([chain], () => Promise.resolve((left.entered = true)));
    for (; !left.entered; left.forMs += 1) await jest.advanceTimersByTimeAsync(1);
    await next;
    await jest.advanceTimersByTimeAsync(100);
    return left.forMs;
  }

  it('pauses on a shared chain even if no writer waits', async () => {
    const turns = new ChainTurns();
    turns.noteLoss([chain]);
    expect(await leftAloneMs(turns)).toBeGreaterThanOrEqual(9);
  });

  it('pauses longer with each lost race, and shorter after wins', async () => {
    const turns = new ChainTurns();
    for (let count = 0; count < 10; count += 1) turns.noteLoss([chain]);
    expect(await leftAloneMs(turns)).toBeGreaterThanOrEqual(45);
    turns.noteCommit([event(1)]);
    for (let seq = 3; seq < 80; seq += 2) turns.noteCommit([event(seq)]);
    expect(await leftAloneMs(turns)).toBeLessThanOrEqual(16);
  });

  it('reports whether a writer uses the chain', async () => {
    const turns = new ChainTurns();
    await turns.run([chain], () => {
      expect(turns.isTaken(chain)).toBe(true);
      return Promise.resolve();
    });
    await Promise.resolve();
    expect(turns.isTaken(chain)).toBe(false);
  });
});
