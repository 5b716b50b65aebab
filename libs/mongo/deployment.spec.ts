import { describe, expect, it } from '@jest/globals';
import { UnfitDeployment, checkLayout, checkServer } from './deployment.ts';

const primary = { setName: 'rs0', isWritablePrimary: true, maxWireVersion: 25 };

describe('the check of a server', () => {
  it.each([
    ['a primary', primary],
    ['the oldest supported release', { ...primary, maxWireVersion: 21 }],
    ['a router', { msg: 'isdbgrid', isWritablePrimary: true, maxWireVersion: 25 }],
  ])('accepts %s', (_what, hello) => expect(() => checkServer(hello)).not.toThrow());

  it.each([
    ['a standalone', { isWritablePrimary: true, maxWireVersion: 25 }, /standalone.*--replSet/],
    ['MongoDB 6.0', { ...primary, maxWireVersion: 17 }, /older than 7\.0\. Upgrade/],
  ])('refuses %s permanently', (_what, hello, message) => {
    expect(() => checkServer(hello)).toThrow(UnfitDeployment);
    expect(() => checkServer(hello)).toThrow(message);
  });

  it('refuses a secondary temporarily', () => {
    const check = (): void => checkServer({ ...primary, isWritablePrimary: false });
    expect(check).toThrow(/not the primary/);
    expect(check).not.toThrow(UnfitDeployment);
  });
});

describe('the check of the layout', () => {
  const on = (collection: string, ...shards: string[]): { collection: string; explained: object } => ({
    collection,
    explained: {
      queryPlanner: {
        winningPlan: {
          stage: shards.length === 1 ? 'SINGLE_SHARD' : 'SHARD_MERGE',
          shards: shards.map((shardName) => ({ shardName, winningPlan: { stage: 'COLLSCAN' } })),
        },
      },
    },
  });
  const filtered = {
    collection: 'events',
    explained: {
      queryPlanner: {
        winningPlan: {
          stage: 'SINGLE_SHARD',
          shards: [{ shardName: 'a', winningPlan: { stage: 'SHARDING_FILTER', inputStage: { stage: 'COLLSCAN' } } }],
        },
      },
    },
  };

  it('accepts unsharded collections on one shard', () => {
    expect(() => checkLayout([on('tokens', 'a'), on('credentials', 'a')])).not.toThrow();
  });

  it.each([
    ['a sharded collection', [on('tokens', 'a'), on('events', 'a', 'b')], /events are sharded.*unshardCollection/],
    ['a sharded collection that is on one shard at the moment', [filtered], /events are sharded/],
    ['collections on two shards', [on('tokens', 'a'), on('events', 'b')], /on 2 shards.*moveCollection/],
  ])('refuses %s', (_what, placements, message) => {
    expect(() => checkLayout(placements)).toThrow(message);
  });
});
