import type { mongo } from 'mongoose';
import type { RightsVersion } from './rights.ts';

/** A point in the store's history. Every reply of a replica set has one as `operationTime`. */
export type ClusterTime = mongo.Timestamp;

/**
 * What a fence proved about the store. Immutable: the time of one fence with the floor of another proves nothing.
 */
export interface FencedState {
  /** When the fence was sent, by the monotonic clock, which cannot be set. */
  readonly sentAtMs: number;
  /** The same moment by the wall clock, which runs on while the machine is suspended. */
  readonly sentAtWallMs: number;
  /** A majority read with this `afterClusterTime` sees every write acknowledged before the fence was sent. */
  readonly floor: ClusterTime;
  /** Rights versions by scope (an operation's id, or `platform`), read after the fence and at or before the floor. */
  readonly rights: ReadonlyMap<string, RightsVersion>;
  /** Grows with each published state. */
  readonly order: number;
  /** The history of the store to which it belongs. States of two generations cannot be compared. */
  readonly generation: number;
}

/** The age of the state in milliseconds, by the clock that says more. */
export function ageMs(state: FencedState, nowMs = performance.now(), nowWallMs = Date.now()): number {
  return Math.max(nowMs - state.sentAtMs, nowWallMs - state.sentAtWallMs);
}

/** The later of two cluster times. */
export function latest(a: ClusterTime | undefined, b: ClusterTime): ClusterTime {
  return a?.greaterThan(b) === true ? a : b;
}
