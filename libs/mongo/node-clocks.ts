import type { Logger, Metrics } from '#observability';

/** Two members whose clocks differ by more need an administrator, in milliseconds. */
const MAX_DIFFERENCE_MS = 1_000;
/**
 * Heartbeats of each member that are compared: one that was read late makes a clock look slow, so the fastest counts.
 */
const REMEMBERED = 5;

/** A member's time minus this machine's monotonic time: between `offsetMs` and `offsetMs + errorMs`. */
interface ClockReading {
  readonly offsetMs: number;
  readonly errorMs: number;
}

/** Compares the clocks of the store's members, as their heartbeats tell them. */
export class NodeClocks {
  private readonly readings = new Map<string, readonly ClockReading[]>();
  private isAlarmed = false;

  constructor(
    private readonly logger: Logger,
    private readonly metrics: Metrics,
  ) {}

  /**
   * Takes note of a member's clock.
   *
   * @param offsetMs its time minus this machine's monotonic time when the heartbeat was read, in milliseconds
   * @param roundTripMs the member's round trip: the heartbeat may be that old
   */
  hear(address: string, offsetMs: number, roundTripMs: number): void {
    const reading = { offsetMs, errorMs: roundTripMs };
    this.readings.set(address, [...(this.readings.get(address) ?? []), reading].slice(-REMEMBERED));
    this.compare();
  }

  /** A member that left is not compared any more. */
  forget(address: string): void {
    this.readings.delete(address);
    this.compare();
  }

  /**
   * Counts only what no slow round trip can explain: on a busy machine a heartbeat may be read long after it was sent.
   */
  private compare(): void {
    const clocks = [...this.readings].map(([address, readings]) => ({ address, ...fastest(readings) }));
    const ahead = Math.max(...clocks.map(({ offsetMs }) => offsetMs));
    const behind = Math.min(...clocks.map(({ offsetMs, errorMs }) => offsetMs + errorMs));
    const differenceMs = clocks.length < 2 ? 0 : Math.max(0, ahead - behind);
    this.metrics.storeClockDifference.set(differenceMs / 1_000);
    const isTooLarge = differenceMs > MAX_DIFFERENCE_MS;
    if (isTooLarge && !this.isAlarmed) {
      const members = Object.fromEntries(clocks.map(({ address, offsetMs }) => [address, offsetMs]));
      this.logger.error(
        { differenceMs: Math.round(differenceMs), members },
        'the clocks of the MongoDB members differ by more than a second; synchronize them',
      );
    }
    this.isAlarmed = isTooLarge;
  }
}

function fastest(readings: readonly ClockReading[]): ClockReading {
  return readings.reduce((best, reading) => (reading.offsetMs > best.offsetMs ? reading : best));
}
