import { LRUCache } from 'lru-cache';
import { Coalescer } from './coalescer.ts';

/**
 * The longest that any instance may answer from what it read before, in milliseconds: L of docs/adr/0003-the-lease.md.
 * A write that changes rights is answered only after it, so "answered" means "in force on every instance".
 */
export const LEASE_CEILING_MS = 250;

/**
 * For clocks that run at unlike rates, in milliseconds: 300 ms by a clock that is 8.33 % fast (as much as chrony slews one) are still
 * more than 250 ms by one that is as slow.
 */
const CLOCK_RATE_MARGIN_MS = 50;

/**
 * Resolves when nothing that was read before the commit is remembered anywhere any more.
 *
 * @param committedAtMs when the commit was acknowledged, by this process's monotonic clock (`performance.now()`)
 */
export async function leaseRunOut(committedAtMs: number): Promise<void> {
  const untilMs = committedAtMs + LEASE_CEILING_MS + CLOCK_RATE_MARGIN_MS;
  // a timer may fire a little early
  for (let restMs = untilMs - performance.now(); restMs > 0; restMs = untilMs - performance.now()) {
    await new Promise((resolve) => setTimeout(resolve, Math.ceil(restMs)));
  }
}

interface Leased<V> {
  readonly value: V;
  readonly sentAtMs: number;
  /** The same moment by the clock that people set: it goes on while the machine is suspended, the monotonic one does not. */
  readonly sentAtWallMs: number;
}

/**
 * Reads documents by key, in batches, and remembers what it found for at most the lease, counted by the monotonic clock from
 * *before* the query went out. What was not found is never remembered: a thing that was just made is there at once.
 */
export class LeasedReader<V extends object> {
  private readonly remembered: LRUCache<string, Leased<V>>;
  private readonly coalescer: Coalescer<V>;

  /**
   * @param load fetches documents from the primary with majority read concern
   * @param leaseMs 0…LEASE_CEILING_MS; 0 remembers nothing
   * @param capacity how many documents are remembered at most
   */
  constructor(
    load: (keys: string[]) => Promise<Map<string, V>>,
    private readonly leaseMs: number,
    capacity = 20_000,
  ) {
    this.remembered = new LRUCache({ max: capacity });
    this.coalescer = new Coalescer(async (keys) => {
      const sentAtMs = performance.now();
      const sentAtWallMs = Date.now();
      const found = await load(keys);
      if (this.leaseMs > 0)
        for (const [key, value] of found) this.remembered.set(key, { value, sentAtMs, sentAtWallMs });
      return found;
    });
  }

  /** What is remembered of the key and still within the lease; no store is asked. */
  peek(key: string): V | undefined {
    const leased = this.remembered.get(key);
    if (leased === undefined) return undefined;
    // both clocks: the first is never set back, the second tells of a suspended machine
    const isWithin =
      performance.now() - leased.sentAtMs < this.leaseMs && Date.now() - leased.sentAtWallMs < this.leaseMs;
    if (isWithin) return leased.value;
    this.remembered.delete(key);
    return undefined;
  }

  /** The document of the key, at most one lease old. @throws DomainError `store-unavailable` */
  async get(key: string): Promise<V | undefined> {
    return this.peek(key) ?? (await this.coalescer.get(key));
  }

  /** The document of the key as the store has it now. @throws DomainError `store-unavailable` */
  fresh(key: string): Promise<V | undefined> {
    return this.coalescer.get(key);
  }

  /** Forgets what this instance remembers of the key. Others forget by the lease alone. */
  forget(key: string): void {
    this.remembered.delete(key);
  }
}
