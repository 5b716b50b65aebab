/**
 * The one source of time. Milliseconds since the epoch by the *store's* clock, so that all instances agree
 * whatever their own clocks say; injected, so that tests can turn it.
 */
export abstract class Clock {
  /** Milliseconds since the Unix epoch. */
  abstract nowMs(): number;

  now(): Date {
    return new Date(this.nowMs());
  }
}
