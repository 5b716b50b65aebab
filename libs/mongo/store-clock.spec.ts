import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { mongo } from 'mongoose';
import type { Logger } from '#observability';
import { Metrics, createLogger } from '#observability';
import { StoreClock } from './store-clock.ts';

const HOUR_MS = 3_600_000;

describe('the clock of the store', () => {
  let clock: StoreClock;
  let logger: Logger;
  let metrics: Metrics;
  let client: EventEmitter;
  /** What `hello` answers next. */
  let aheadMs = 0;
  let clusterTimeMs: number | undefined;
  let more: object = {};
  let asked = 0;

  const timestamp = (ms: number): mongo.Timestamp => new mongo.Timestamp({ t: Math.floor(ms / 1_000), i: 1 });
  const hello = (): Promise<object> => {
    asked += 1;
    const $clusterTime = clusterTimeMs === undefined ? undefined : { clusterTime: timestamp(clusterTimeMs) };
    return Promise.resolve({
      localTime: new Date(Date.now() + aheadMs),
      ...($clusterTime && { $clusterTime }),
      ...more,
    });
  };
  const heartbeat = (connectionId: string, ms: number): void => {
    const reply = { localTime: new Date(Date.now() + ms) };
    client.emit('serverHeartbeatSucceeded', { connectionId, duration: 1, reply });
  };
  const primary = (address: string): void => {
    client.emit('serverDescriptionChanged', { newDescription: { type: 'RSPrimary', address } });
  };

  beforeEach(() => {
    [aheadMs, clusterTimeMs, more, asked] = [0, undefined, {}, 0];
    logger = createLogger('silent');
    metrics = new Metrics();
    client = new EventEmitter();
    clock = new StoreClock(logger, metrics);
    clock.follow(client as never);
  });
  afterEach(() => clock.stop());

  it('follows the member that answers', async () => {
    aheadMs = 2 * HOUR_MS;
    await clock.start(hello);
    expect(Math.abs(clock.nowMs() - Date.now() - aheadMs)).toBeLessThan(5_000);
  });

  it('is never below the highest cluster time seen', async () => {
    clusterTimeMs = Date.now() + HOUR_MS;
    await clock.start(hello);
    expect(clock.nowMs()).toBeGreaterThanOrEqual(Math.floor(clusterTimeMs / 1_000) * 1_000);
    const heard = Date.now() + 2 * HOUR_MS;
    const reply = { $clusterTime: { clusterTime: timestamp(heard) } };
    client.emit('serverHeartbeatSucceeded', { connectionId: 'a', reply });
    expect(clock.nowMs()).toBeGreaterThanOrEqual(Math.floor(heard / 1_000) * 1_000);
  });

  it('is read again from a new primary, and never moves back', async () => {
    await clock.start(hello);
    primary('a');
    const [before, askedBefore] = [clock.nowMs(), asked];
    primary('b');
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toBe(askedBefore + 1);
    aheadMs = HOUR_MS;
    primary('c');
    await new Promise((resolve) => setImmediate(resolve));
    expect(clock.nowMs()).toBeGreaterThanOrEqual(before + HOUR_MS - 5_000);
    aheadMs = -HOUR_MS;
    const ahead = clock.nowMs();
    primary('d');
    await new Promise((resolve) => setImmediate(resolve));
    expect(clock.nowMs()).toBeGreaterThanOrEqual(ahead);
  });

  it.each([
    ['ahead', 2 * HOUR_MS],
    ['behind', -2 * HOUR_MS],
  ])('does not follow a router whose clock is %s of the cluster time', async (_how, byMs) => {
    [aheadMs, clusterTimeMs, more] = [byMs, Date.now(), { msg: 'isdbgrid' }];
    await clock.start(hello);
    expect(Math.abs(clock.nowMs() - Date.now())).toBeLessThan(20_000);
  });

  it('raises an alarm once when two members differ by more than a second', async () => {
    const alarm = jest.spyOn(logger, 'error');
    const difference = async (): Promise<number> =>
      (await metrics.storeClockDifference.get()).values[0]?.value ?? Number.NaN;
    heartbeat('a', 0);
    heartbeat('b', 300);
    expect(alarm).not.toHaveBeenCalled();
    heartbeat('b', 5_000);
    heartbeat('b', 5_000);
    expect(alarm).toHaveBeenCalledTimes(1);
    expect(await difference()).toBeGreaterThan(4);
    client.emit('serverClosed', { address: 'b' });
    expect(await difference()).toBe(0);
  });
});
