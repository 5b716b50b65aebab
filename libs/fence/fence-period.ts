/** The period as a share of the lease: two fences may be late before a state expires. */
const SHARE_OF_LEASE = 0.4;
/** A state must be replaced within this share of the lease. */
const REPLACE_WITHIN = 0.8;
/** With a shorter period, regular fences would cost more than fences on demand. In milliseconds. */
const MIN_REGULAR_MS = 20;
/** The minimum period, however slow the store is, in milliseconds. */
const MIN_PERIOD_MS = 10;
/** The factor by which a slow fence counts less after each faster one. */
const DECAY = 0.9;

/**
 * The time between two fences. After a slow fence the next one is sent sooner, so that its state is there before the
 * last one expires.
 */
export class FencePeriod {
  /** Whether fences are sent regularly, not only on demand. */
  readonly isRegular: boolean;
  private readonly maxMs: number;
  private slowestMs = 0;

  constructor(private readonly leaseMs: number) {
    this.maxMs = leaseMs * SHARE_OF_LEASE;
    this.isRegular = this.maxMs >= MIN_REGULAR_MS;
  }

  get currentMs(): number {
    return Math.max(MIN_PERIOD_MS, Math.min(this.maxMs, this.leaseMs * REPLACE_WITHIN - this.slowestMs));
  }

  /** Learns how long a fence took. */
  took(ms: number): void {
    this.slowestMs = Math.max(ms, this.slowestMs * DECAY);
  }
}
