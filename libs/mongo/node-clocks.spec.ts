import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Metrics } from '#observability';
import type { Logger } from '#observability';
import { NodeClocks } from './node-clocks.ts';

describe('NodeClocks', () => {
  const error = jest.fn();
  let metrics: Metrics;
  let clocks: NodeClocks;

  beforeEach(() => {
    error.mockReset();
    metrics = new Metrics();
    clocks = new NodeClocks({ error } as unknown as Logger, metrics);
  });

  const differenceSeconds = async (): Promise<number> =>
    (await metrics.storeClockDifference.get()).values[0]?.value ?? Number.NaN;

  it('raises no alarm for a heartbeat that was read late by no more than the round trip', async () => {
    clocks.hear('a', 0, 2);
    for (let count = 0; count < 10; count += 1) clocks.hear('b', -4_000, 4_000);
    expect(error).not.toHaveBeenCalled();
    expect(await differenceSeconds()).toBe(0);
  });

  it('raises an alarm for a difference that exceeds the round trip', async () => {
    clocks.hear('a', 0, 2);
    clocks.hear('b', -4_000, 1_500);
    expect(error).toHaveBeenCalledTimes(1);
    expect(await differenceSeconds()).toBe(2.5);
  });

  it('uses the fastest of the last five heartbeats', () => {
    clocks.hear('a', 0, 2);
    clocks.hear('b', -5, 2);
    for (let count = 0; count < 4; count += 1) clocks.hear('b', -3_000, 2);
    expect(error).not.toHaveBeenCalled();
    clocks.hear('b', -3_000, 2);
    expect(error).toHaveBeenCalledTimes(1);
  });
});
