import { BSON } from 'bson';
import type { ClusterTime } from './cluster-clock.ts';
import type { Snapshot } from './snapshots.ts';

/** `shutting-down` still answers, with an error; `down` has no connections. */
export type MemberState = 'primary' | 'secondary' | 'shutting-down' | 'down';

/** The state at which a member's knowledge of what a majority has stopped. */
export interface FrozenView {
  readonly snapshot: Snapshot;
  readonly at: ClusterTime;
}

/** Distinguishes the states of a member that `hello` tells, for monitors that wait for the next one. */
export interface TopologyVersion {
  readonly processId: BSON.ObjectId;
  readonly counter: bigint;
}

/** One member of a replica set, with what it believes: it may be wrong about being the primary. */
export class Member {
  readonly index: number;
  state: MemberState;
  /** the term in which it is, or last was, the primary */
  term = 0;
  /** the primary that it knows; null during an election */
  knownPrimary: number | null = null;
  skewMs = 0;
  frozen: FrozenView | null = null;
  /** the highest cluster time that a deposed primary has seen, which the rest of the set does not tell it */
  ownTime: ClusterTime | null = null;
  #processId = new BSON.ObjectId();
  #counter = 0n;

  constructor(index: number, state: MemberState) {
    this.index = index;
    this.state = state;
  }

  get topologyVersion(): TopologyVersion {
    return { processId: this.#processId, counter: this.#counter };
  }

  /** Counts a change that `hello` tells. */
  noteChange(): void {
    this.#counter += 1n;
  }

  /** A restarted process counts from zero. */
  noteRestart(): void {
    this.#processId = new BSON.ObjectId();
    this.#counter = 0n;
  }
}
