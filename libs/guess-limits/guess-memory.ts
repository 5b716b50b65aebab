import { LRUCache } from 'lru-cache';
import type { GuessCounter } from './guess-counters.ts';

export const GUESS_WINDOW_SECONDS = 5 * 60;
const WINDOW_MS = GUESS_WINDOW_SECONDS * 1000;
/** Maximum number of counters, about 200 bytes each. The least recently used is dropped first. */
const MAX_COUNTERS = 50_000;

/** One counter of this instance. */
export interface GuessCount {
  guesses: number;
  /** Until when it is known to be full by the counts of all instances, by `performance.now()`. */
  fullUntilMs: number;
  /** By `performance.now()`. */
  windowEndsAtMs: number;
}

/** What this instance counted in the current window, with or without Redis. */
export class GuessMemory {
  private readonly counts = new LRUCache<string, GuessCount>({
    max: MAX_COUNTERS,
    ttl: WINDOW_MS,
  });

  /** Counts one guess. The window begins with the first one. */
  add(key: string): GuessCount {
    let count = this.counts.get(key);
    if (count === undefined) {
      count = { guesses: 0, fullUntilMs: 0, windowEndsAtMs: performance.now() + WINDOW_MS };
      this.counts.set(key, count);
    }
    count.guesses += 1;
    return count;
  }

  guesses({ key }: GuessCounter): number {
    return this.counts.get(key)?.guesses ?? 0;
  }

  isFull({ key, limit }: GuessCounter): boolean {
    const count = this.counts.get(key);
    return count !== undefined && (count.guesses >= limit || count.fullUntilMs > performance.now());
  }

  /**
   * Remembers for a moment that it is full by the counts of all instances.
   *
   * @param windowLeftMs the rest of their window, in milliseconds
   */
  close({ key }: GuessCounter, forMs: number, windowLeftMs: number): void {
    const nowMs = performance.now();
    const count = this.counts.get(key);
    if (count === undefined) return;
    count.fullUntilMs = nowMs + Math.min(forMs, windowLeftMs);
    count.windowEndsAtMs = nowMs + windowLeftMs;
  }

  /** Milliseconds until the window of the counter ends. */
  windowLeftMs({ key }: GuessCounter): number {
    const count = this.counts.get(key);
    return count === undefined ? 0 : count.windowEndsAtMs - performance.now();
  }
}
