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

  it.each(['serverHeartbeatSucceeded', 'serverHeartbeatFailed'])('is content with heartbeats that end: %s', (ended) => {
    for (let round = 0; round < 20; round += 1) {
      client.emit('serverHeartbeatStarted', SERVER);
      jest.advanceTimersByTime(4_000);
      client.emit(ended, SERVER);
    }
    expect(stuck).toEqual([]);
  });

  it('tells once of a heartbeat that never ends, also where other servers have theirs', () => {
    client.emit('serverHeartbeatStarted', SERVER);
    for (let round = 0; round < 20; round += 1) {
      client.emit('serverHeartbeatStarted', { connectionId: 'b:1' });
      jest.advanceTimersByTime(500);
      client.emit('serverHeartbeatSucceeded', { connectionId: 'b:1' });
    }
    expect(stuck).toEqual(['a heartbeat']);
  });

  it('waits for no heartbeat of a server that is not there any more', () => {
    client.emit('serverHeartbeatStarted', SERVER);
    client.emit('serverClosed', { address: 'a:1' });
    jest.advanceTimersByTime(60_000);
    expect(stuck).toEqual([]);
  });

  it('lets news come in first that came while the process stood still', () => {
    client.emit('serverHeartbeatStarted', SERVER);
    const later = performance.now() + 100_000;
    jest.spyOn(performance, 'now').mockReturnValue(later);
    jest.advanceTimersByTime(1_000);
    client.emit('serverHeartbeatSucceeded', SERVER);
    jest.advanceTimersByTime(5_000);
    expect(stuck).toEqual([]);
    jest.restoreAllMocks();
  });

  it('tells when more connections than may be lost are in use for ever', () => {
    for (const id of [1, 2, 3, 4]) out(id);
    back(4);
    jest.advanceTimersByTime(59_000);
    expect(stuck).toEqual([]);
    jest.advanceTimersByTime(4_000);
    expect(stuck).toEqual(['connections']);
  });

  it('is content with connections that come back, and with a few that do not', () => {
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
