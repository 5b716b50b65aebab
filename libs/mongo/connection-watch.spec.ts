import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ConnectionWatch } from './connection-watch.ts';
import type { WatchedClient } from './connection-watch.ts';

const SERVER = { connectionId: 'a:1' };

describe('ConnectionWatch', () => {
  let client: EventEmitter;
  let watch: ConnectionWatch;
  const stuck: string[] = [];

  beforeEach(() => {
    jest.useFakeTimers();
    stuck.length = 0;
    client = new EventEmitter();
    watch = new ConnectionWatch(client as unknown as WatchedClient, 2, (what) => stuck.push(what));
  });
  afterEach(() => {
    watch.stop();
    jest.useRealTimers();
  });
  const out = (connectionId: number): boolean => client.emit('connectionCheckedOut', { address: 'a:1', connectionId });
  const back = (connectionId: number): boolean => client.emit('connectionCheckedIn', { address: 'a:1', connectionId });

  it.each(['serverHeartbeatSucceeded', 'serverHeartbeatFailed'])('accepts heartbeats that end: %s', (ended) => {
    for (let round = 0; round < 20; round += 1) {
      client.emit('serverHeartbeatStarted', SERVER);
      jest.advanceTimersByTime(4_000);
      client.emit(ended, SERVER);
    }
    expect(stuck).toEqual([]);
  });

  it('reports once a heartbeat that never ends, even if other servers are healthy', () => {
    client.emit('serverHeartbeatStarted', SERVER);
    for (let round = 0; round < 20; round += 1) {
      client.emit('serverHeartbeatStarted', { connectionId: 'b:1' });
      jest.advanceTimersByTime(500);
      client.emit('serverHeartbeatSucceeded', { connectionId: 'b:1' });
    }
    expect(stuck).toEqual(['a heartbeat']);
  });

  it('ignores the heartbeat of a removed server', () => {
    client.emit('serverHeartbeatStarted', SERVER);
    client.emit('serverClosed', { address: 'a:1' });
    jest.advanceTimersByTime(60_000);
    expect(stuck).toEqual([]);
  });

  it('processes events that arrived during a pause of the process first', () => {
    client.emit('serverHeartbeatStarted', SERVER);
    const later = performance.now() + 100_000;
    jest.spyOn(performance, 'now').mockReturnValue(later);
    jest.advanceTimersByTime(1_000);
    client.emit('serverHeartbeatSucceeded', SERVER);
    jest.advanceTimersByTime(5_000);
    expect(stuck).toEqual([]);
    jest.restoreAllMocks();
  });

  it('reports when too many connections are never returned', () => {
    for (const id of [1, 2, 3, 4]) out(id);
    back(4);
    jest.advanceTimersByTime(59_000);
    expect(stuck).toEqual([]);
    jest.advanceTimersByTime(4_000);
    expect(stuck).toEqual(['connections']);
  });

  it('accepts connections that are returned, and a few that are not', () => {
    out(1);
    out(2);
    for (let round = 0; round < 100; round += 1) {
      out(3);
      jest.advanceTimersByTime(2_000);
      back(3);
    }
    expect(stuck).toEqual([]);
  });
});
