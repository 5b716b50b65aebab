import type { mongo } from 'mongoose';
import type { RightsVersion } from './rights.ts';

/** A point in the store's history; every reply of a replica set carries one as `operationTime`. */
export type ClusterTime = mongo.Timestamp;

/**
 * What a fence proved about the store. It is one immutable object: combining the time of one fence with the floor of
 * another proves nothing.
 */
export interface FencedState {
  /** When the fence was sent, by the monotonic clock, which nobody sets. */
  readonly sentAtMs: number;
  /** The same moment by the wall clock, which keeps running while the machine is suspended. */
  readonly sentAtWallMs: number;
  /** A majority read with this `afterClusterTime` sees every write that was acknowledged before the fence was sent. */
  readonly floor: ClusterTime;
  /** Rights versions by scope (an operation's id, or `platform`), read after the fence and at or before the floor. */
  readonly rights: ReadonlyMap<string, RightsVersion>;
  /** Grows with each state that is published. */
  readonly order: number;
  /** Which history of the store it belongs to: states of two generations prove nothing about each other. */
  readonly generation: number;
}

/** How old the state is, in milliseconds, by whichever clock says more. */
export function ageMs(state: FencedState, nowMs = performance.now(), nowWallMs = Date.now()): number {
  return Math.max(nowMs - state.sentAtMs, nowWallMs - state.sentAtWallMs);
}

/** The later of two cluster times. */
export function latest(a: ClusterTime | undefined, b: ClusterTime): ClusterTime {
  return a?.greaterThan(b) === true ? a : b;
}
