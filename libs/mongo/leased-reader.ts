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

/** From this share of the lease on, what is asked for is read anew in the background, so that the next to ask need not wait. */
const REFRESH_FROM = 0.5;
/** For this share of the lease such keys are collected: one query for many of them costs little more than for one. */
const COLLECT_FOR = 0.15;
/** Keys of one background query at most. */
const MAX_REFRESHED = 500;

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

/** What a query said of a key: undefined where there is nothing. */
type Answered<V> = Omit<Leased<V>, 'value'> & { readonly value: V | undefined };

/**
 * Reads documents by key, in batches, and remembers what it found for at most the lease, counted by the monotonic clock from
 * *before* the query went out. What was not found is never remembered: a thing that was just made is there at once.
 *
 * What is asked for again and again is read anew before its lease is over, many keys at once. Each such reading begins a lease
 * of its own; none is ever made longer.
 */
export class LeasedReader<V extends object> {
  private readonly remembered: LRUCache<string, Leased<V>>;
  private readonly coalescer: Coalescer<V>;
  private due = new Set<string>();
  private collecting: NodeJS.Timeout | undefined;
  private refreshing = false;
  private underWay = 0;
  /** Keys that were forgotten while queries were under way, and when: what those queries say of them is older. */
  private readonly forgotten = new Map<string, number>();

  /**
   * @param load fetches documents from the primary with majority read concern
   * @param leaseMs 0…LEASE_CEILING_MS; 0 remembers nothing
   * @param capacity how many documents are remembered at most
   */
  constructor(
    private readonly load: (keys: string[]) => Promise<Map<string, V>>,
    private readonly leaseMs: number,
    capacity = 20_000,
  ) {
    this.remembered = new LRUCache({ max: capacity });
    this.coalescer = new Coalescer((keys) => this.fetch(keys));
  }

  /** What is remembered of the key and still within the lease; no store is asked. */
  peek(key: string): V | undefined {
    const leased = this.remembered.get(key);
    if (leased === undefined) return undefined;
    // both clocks: the first is never set back, the second tells of a suspended machine
    const ageMs = Math.max(performance.now() - leased.sentAtMs, Date.now() - leased.sentAtWallMs);
    if (ageMs < this.leaseMs) {
      if (ageMs > this.leaseMs * REFRESH_FROM) this.refreshSoon(key);
      return leased.value;
    }
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
    if (this.underWay > 0) this.forgotten.set(key, performance.now());
  }

  private async fetch(keys: string[]): Promise<Map<string, V>> {
    const sentAtMs = performance.now();
    const sentAtWallMs = Date.now();
    this.underWay += 1;
    try {
      const found = await this.load(keys);
      for (const key of keys) this.learn(key, { value: found.get(key), sentAtMs, sentAtWallMs });
      return found;
    } finally {
      this.underWay -= 1;
      if (this.underWay === 0) this.forgotten.clear();
    }
  }

  /** Never puts what is older in place of what is newer, in whatever order the answers come in. */
  private learn(key: string, { value, ...sent }: Answered<V>): void {
    const known = this.remembered.peek(key);
    if (this.leaseMs === 0 || (known !== undefined && known.sentAtMs > sent.sentAtMs)) return;
    if ((this.forgotten.get(key) ?? -Infinity) >= sent.sentAtMs) return;
    if (value === undefined) this.remembered.delete(key);
    else this.remembered.set(key, { value, ...sent });
  }

  private refreshSoon(key: string): void {
    this.due.add(key);
    if (this.collecting !== undefined || this.refreshing) return;
    this.collecting = setTimeout(() => {
      this.collecting = undefined;
      void this.refresh();
    }, this.leaseMs * COLLECT_FOR);
    this.collecting.unref();
  }

  /** One at a time: where the store is too slow for it, leases run out, and who asks waits for a query of its own. */
  private async refresh(): Promise<void> {
    const keys = [...this.due].slice(0, MAX_REFRESHED);
    this.due = new Set();
    this.refreshing = true;
    // whoever needs the answer asks again, and is told what went wrong
    await this.fetch(keys).catch(() => undefined);
    this.refreshing = false;
  }
}
