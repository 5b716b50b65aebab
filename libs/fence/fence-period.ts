/** A fence is sent this often in a lease: two may be late before a state runs out. */
const SHARE_OF_LEASE = 0.4;
/** A state must be replaced before this share of the lease is over. */
const REPLACED_BY = 0.8;
/** With a lease so short, regular fences would cost more than those that are asked for. In milliseconds. */
const SHORTEST_REGULAR_MS = 20;
/** However slow the store is, it gets this long a rest between two fences, in milliseconds. */
const SHORTEST_MS = 10;
/** By how much a duration that was seen once counts less after each shorter one. */
const DECAY = 0.9;

/**
 * How long after one fence the next one is sent. A fence that takes long is followed sooner, so that its successor is
 * there before its state runs out.
 */
export class FencePeriod {
  /** Whether fences are sent without being asked for. */
  readonly isRegular: boolean;
  private readonly longestMs: number;
  private slowestMs = 0;

  constructor(private readonly leaseMs: number) {
    this.longestMs = leaseMs * SHARE_OF_LEASE;
    this.isRegular = this.longestMs >= SHORTEST_REGULAR_MS;
  }

  get currentMs(): number {
    return Math.max(SHORTEST_MS, Math.min(this.longestMs, this.leaseMs * REPLACED_BY - this.slowestMs));
  }

  /** Learns how long a fence took. */
  took(ms: number): void {
    this.slowestMs = Math.max(ms, this.slowestMs * DECAY);
  }
}
