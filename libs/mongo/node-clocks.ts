import type { Logger, Metrics } from '#observability';

/** Two members whose clocks differ by more need an administrator, in milliseconds. */
const MAX_DIFFERENCE_MS = 1_000;
/** Heartbeats that are compared: one that was read late makes a clock look slow, so the fastest of some counts. */
const REMEMBERED = 5;

/** Compares the clocks of the store's members, as their heartbeats tell them. */
export class NodeClocks {
  /** Each member's time minus this machine's monotonic time, in milliseconds. */
  private readonly offsets = new Map<string, number[]>();
  private isAlarmed = false;

  constructor(
    private readonly logger: Logger,
    private readonly metrics: Metrics,
  ) {}

  /** Takes note of a member's clock. */
  hear(address: string, offsetMs: number): void {
    this.offsets.set(address, [...(this.offsets.get(address) ?? []), offsetMs].slice(-REMEMBERED));
    this.compare();
  }

  /** A member that left is not compared any more. */
  forget(address: string): void {
    this.offsets.delete(address);
    this.compare();
  }

  private compare(): void {
    const fastest = [...this.offsets.values()].map((offsets) => Math.max(...offsets));
    const differenceMs = fastest.length < 2 ? 0 : Math.max(...fastest) - Math.min(...fastest);
    this.metrics.storeClockDifference.set(differenceMs / 1_000);
    const isTooLarge = differenceMs > MAX_DIFFERENCE_MS;
    if (isTooLarge && !this.isAlarmed) {
      const members = Object.fromEntries([...this.offsets.keys()].map((address, index) => [address, fastest[index]]));
      this.logger.error(
        { differenceMs: Math.round(differenceMs), members },
        'the clocks of the MongoDB members differ by more than a second; synchronize them',
      );
    }
    this.isAlarmed = isTooLarge;
  }
}
