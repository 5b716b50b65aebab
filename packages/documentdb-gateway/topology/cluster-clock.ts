import { BSON } from 'bson';
import type { Document } from 'bson';

/** A cluster time as one number: seconds in the upper 32 bits, an increment in the lower ones. */
export type ClusterTime = bigint;

const NO_SIGNATURE = { hash: new BSON.Binary(Buffer.alloc(20)), keyId: BSON.Long.ZERO };

/** The BSON form of a cluster time. */
export function toTimestamp(time: ClusterTime): BSON.Timestamp {
  return new BSON.Timestamp({ t: Number(time >> 32n), i: Number(time & 0xffff_ffffn) });
}

/** The cluster time in a BSON timestamp. */
export function fromTimestamp(timestamp: BSON.Timestamp): ClusterTime {
  return BigInt.asUintN(64, timestamp.toBigInt());
}

/** `$clusterTime` as a server without authentication sends it. */
export function clusterTimeDocument(time: ClusterTime): Document {
  return { clusterTime: toTimestamp(time), signature: NO_SIGNATURE };
}

/**
 * The logical clock of a replica set. It follows the primary's wall clock and never goes back, so a new primary
 * whose clock is behind counts on from the time of the old one.
 */
export class ClusterClock {
  readonly #wallMs: () => number;
  #time: ClusterTime;

  /** @param wallMs the primary's wall clock, in milliseconds */
  constructor(wallMs: () => number) {
    this.#wallMs = wallMs;
    this.#time = this.#wall();
  }

  /** The time of the newest entry. */
  get time(): ClusterTime {
    return this.#time;
  }

  /** The time of a new entry: later than all before it. */
  tick(): ClusterTime {
    const wall = this.#wall();
    this.#time = wall > this.#time ? wall : this.#time + 1n;
    return this.#time;
  }

  #wall(): ClusterTime {
    return (BigInt(Math.floor(this.#wallMs() / 1_000)) << 32n) + 1n;
  }
}
