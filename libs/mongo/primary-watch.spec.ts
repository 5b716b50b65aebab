import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { PrimaryWatch } from './primary-watch.ts';
import type { FollowedClient } from './primary-watch.ts';

function aClient(): FollowedClient & EventEmitter {
  return new EventEmitter() as FollowedClient & EventEmitter;
}

/** The driver's news of what the servers are. */
function tell(client: EventEmitter, ...types: string[]): void {
  const servers = new Map(types.map((type, index) => [`server-${index}`, { type }]));
  client.emit('topologyDescriptionChanged', { newDescription: { servers } });
}

describe('PrimaryWatch', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('expects no primary before it follows a client', () => {
    expect(new PrimaryWatch().isExpected).toBe(false);
  });

  it('expects a primary for two seconds after it was lost, and no longer', () => {
    const watch = new PrimaryWatch();
    const client = aClient();
    watch.follow(client);
    expect(watch.isExpected).toBe(true);
    tell(client, 'RSSecondary', 'Unknown');
    jest.advanceTimersByTime(1_000);
    tell(client, 'RSSecondary', 'RSSecondary');
    jest.advanceTimersByTime(999);
    expect(watch.isExpected).toBe(true);
    jest.advanceTimersByTime(1);
    expect(watch.isExpected).toBe(false);
    tell(client, 'RSSecondary', 'RSPrimary');
    expect(watch.isExpected).toBe(true);
  });

  it.each(['RSPrimary', 'Mongos'])('expects a %s during any silence, and when the clock is set', (type) => {
    const watch = new PrimaryWatch();
    const client = aClient();
    watch.follow(client);
    tell(client, type);
    jest.setSystemTime(Date.now() + 7_200_000);
    jest.advanceTimersByTime(60_000);
    expect(watch.isExpected).toBe(true);
  });

  it('ignores a client that was replaced', () => {
    const watch = new PrimaryWatch();
    const [first, second] = [aClient(), aClient()];
    watch.follow(first);
    watch.follow(second);
    tell(first, 'Unknown');
    jest.advanceTimersByTime(60_000);
    expect(watch.isExpected).toBe(true);
  });
});
