/**
 * The only source of time. Follows the *store's* clock, so that all instances agree even if their own clocks differ.
 * Injected, so that tests can set it.
 */
export abstract class Clock {
  /** Milliseconds since the Unix epoch. */
  abstract nowMs(): number;

  now(): Date {
    return new Date(this.nowMs());
  }
}
