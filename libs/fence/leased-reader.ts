import { LRUCache } from 'lru-cache';
import { Coalescer } from './coalescer.ts';
import type { Fence } from './fence.ts';
import { ageMs } from './fenced-state.ts';
import type { FencedState } from './fenced-state.ts';
import { isSameVersion } from './rights.ts';
import type { DependsOn, RightsVersion } from './rights.ts';

/**
 * The longest that an instance may answer from what it read before, in milliseconds: L of docs/adr/0003-the-lease.md.
 * A write that changes rights is answered only after it, so "answered" means "in force on every instance".
 */
export const LEASE_CEILING_MS = 250;

/**
 * Allows for clocks that run at different rates, in milliseconds: 300 ms by a clock that is 8.33 % fast (as much as
 * chrony slews one) are still more than 250 ms by one that is as slow.
 */
const CLOCK_RATE_MARGIN_MS = 50;

/**
 * From this share of the lease on, a document that is asked for is read again in the background, so that nobody has to
 * wait.
 */
const REFRESH_FROM = 0.5;
/** For this share of the lease such keys are collected: one query for many of them costs little more than for one. */
const COLLECT_FOR = 0.15;
/** How long look-ups of unhurried callers are collected, in milliseconds: at most twenty queries a second. */
const UNHURRIED_MS = 50;
/** Maximum number of keys in one query of unhurried callers. */
const MAX_UNHURRIED = 2_000;
const DEFAULT_CAPACITY = 20_000;
/** Maximum number of keys in one background query. */
const MAX_REFRESHED = 500;

/**
 * Resolves when no instance remembers anything that was read before the commit.
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
  readonly scope: string;
  /**
   * The rights version of its scope in the state that its query was sent under: never a later one, which it might not
   * be true of.
   */
  readonly label: RightsVersion | undefined;
  /** The newest state that it is known to be true of. */
  provenBy: FencedState;
  readonly sentAtMs: number;
}

/** What a reader reads. */
export interface LeasedKind<V> {
  readonly load: Load<V>;
  /** The operation (or `platform`) whose rights version the document belongs to. */
  readonly scopeOf: (value: V) => string;
  readonly dependsOn: DependsOn;
  /**
   * When the document is over by itself and may go without a change of its version, in milliseconds since the epoch.
   */
  readonly endsAtMs?: (value: V) => number;
  /** Maximum number of documents that are remembered; 20,000 if left out. */
  readonly capacity?: number;
}

/** What an audit found. */
export interface AuditResult {
  readonly compared: number;
  /** Keys of documents that are not what the store has. */
  readonly differing: readonly string[];
  /** Whether everything that was remembered when the round began has been looked at. */
  readonly isRoundOver: boolean;
}

/** Fetches documents by key as of the state's floor or later; keys without a document are left out of the map. */
export type Load<V> = (keys: string[], state: FencedState) => Promise<Map<string, V>>;

/**
 * Reads documents by key, in batches, and remembers them. A document may be used while the rights version of its scope
 * is the one that it was read under; and without that, for as long as the state that it was read under is in its lease.
 * That something was not found is never remembered: a new document is found immediately.
 *
 * What is asked for repeatedly and has no version to go by, or another one now, is read again in the background before
 * its lease is over, many keys at a time.
 */
export class LeasedReader<V extends object> {
  private readonly remembered: LRUCache<string, Leased<V>>;
  private readonly coalescer: Coalescer<V>;
  private readonly unhurried: Coalescer<V>;
  private due = new Set<string>();
  private collecting: NodeJS.Timeout | undefined;
  private refreshing = false;
  private underWay = 0;
  /** Keys that this round of the audit has still to look at. */
  private unaudited: string[] = [];
  /** Keys that were forgotten while queries were under way, and when: what those queries say of them is older. */
  private readonly forgotten = new Map<string, number>();

  constructor(
    private readonly fence: Fence,
    private readonly kind: LeasedKind<V>,
  ) {
    this.remembered = new LRUCache({ max: kind.capacity ?? DEFAULT_CAPACITY });
    this.coalescer = new Coalescer((keys) => this.fetch(keys));
    const collected = async (keys: string[]): Promise<Map<string, V>> => {
      await new Promise((resolve) => setTimeout(resolve, UNHURRIED_MS));
      return this.fetch(keys);
    };
    this.unhurried = new Coalescer(collected, 1, MAX_UNHURRIED);
  }

  /** What is remembered of the key, if a verification that begins now may use it; the store is not asked. */
  peek(key: string): V | undefined {
    const leased = this.remembered.get(key);
    const state = this.fence.current();
    if (leased === undefined || state === undefined) return undefined;
    return leased.provenBy === state || this.holds(key, leased, state) ? leased.value : undefined;
  }

  /** The document of the key, as the last fence or a later one found it. @throws DomainError `store-unavailable` */
  async get(key: string): Promise<V | undefined> {
    const known = this.peek(key);
    if (known !== undefined) return known;
    const askedAtMs = performance.now();
    // after a pause the next fence may show that what is remembered is still true
    if (this.remembered.has(key) && this.fence.current() === undefined) await this.fence.ready();
    return this.peek(key) ?? (await this.coalescer.get(key, askedAtMs));
  }

  /** The document of the key as the store has it now. @throws DomainError `store-unavailable` */
  fresh(key: string): Promise<V | undefined> {
    return this.coalescer.get(key);
  }

  /**
   * The same for callers that can wait: a flood of them costs the store no more than a few queries a second.
   *
   * @throws DomainError `store-unavailable`
   */
  freshUnhurried(key: string): Promise<V | undefined> {
    return this.unhurried.get(key);
  }

  /** Forgets what this instance remembers of the key. Other instances forget by the lease alone. */
  forget(key: string): void {
    this.remembered.delete(key);
    if (this.underWay > 0) this.forgotten.set(key, performance.now());
  }

  /**
   * Compares the next of the remembered documents with the store. One that differs although its rights version stayed
   * the same before and after the reading is wrong: something was changed without changing the version.
   *
   * @param maxKeys how many to compare at most
   * @param atMs the time by the store's clock; what is over by then is passed over
   * @throws DomainError `store-unavailable`
   */
  async audit(maxKeys: number, atMs: number): Promise<AuditResult> {
    if (this.unaudited.length === 0) this.unaudited = [...this.remembered.keys()];
    const entries = this.unaudited.splice(0, maxKeys).flatMap((key) => {
      const leased = this.remembered.peek(key);
      return leased?.label === undefined ? [] : [[key, leased, leased.label] as const];
    });
    if (entries.length === 0) return { compared: 0, differing: [], isRoundOver: this.unaudited.length === 0 };
    for (const [, { scope }] of entries) this.fence.watch(scope);
    const before = await this.fence.next();
    const found = await this.kind.load(
      entries.map(([key]) => key),
      before,
    );
    const after = await this.fence.next();
    const { endsAtMs, dependsOn } = this.kind;
    const isUnchanged = (label: RightsVersion, scope: string, state: FencedState): boolean => {
      const version = state.rights.get(scope);
      return version !== undefined && isSameVersion(label, version, dependsOn);
    };
    const comparable = entries.filter(
      ([, { value, scope, provenBy }, label]) =>
        provenBy.generation === after.generation &&
        isUnchanged(label, scope, before) &&
        isUnchanged(label, scope, after) &&
        (endsAtMs === undefined || endsAtMs(value) > atMs),
    );
    const differing = comparable
      .filter(([key, { value }]) => JSON.stringify(value) !== JSON.stringify(found.get(key)))
      .map(([key]) => key);
    return { compared: comparable.length, differing, isRoundOver: this.unaudited.length === 0 };
  }

  private holds(key: string, leased: Leased<V>, state: FencedState): boolean {
    const { label, scope, provenBy } = leased;
    if (provenBy.generation !== state.generation) return false;
    this.fence.watch(scope);
    const version = label === undefined ? undefined : state.rights.get(scope);
    if (label !== undefined && version !== undefined && isSameVersion(label, version, this.kind.dependsOn)) {
      leased.provenBy = state;
      return true;
    }
    const age = ageMs(provenBy);
    if (age >= this.fence.leaseMs) return false;
    if (age > this.fence.leaseMs * REFRESH_FROM) this.refreshSoon(key);
    return true;
  }

  private async fetch(keys: string[]): Promise<Map<string, V>> {
    // checked when the query begins and not when its answer comes: a slow store would otherwise be asked for ever
    const state = await this.fence.ready();
    const sentAtMs = performance.now();
    this.underWay += 1;
    try {
      const found = await this.kind.load(keys, state);
      for (const key of keys) this.learn(key, found.get(key), state, sentAtMs);
      return found;
    } finally {
      this.underWay -= 1;
      if (this.underWay === 0) this.forgotten.clear();
    }
  }

  /** Never replaces what is newer by what is older, in whatever order the answers come in. */
  private learn(key: string, value: V | undefined, provenBy: FencedState, sentAtMs: number): void {
    const known = this.remembered.peek(key);
    if (this.fence.leaseMs === 0 || !this.fence.isPresent(provenBy)) return;
    if (known !== undefined && isOlder(provenBy, sentAtMs, known)) return;
    if ((this.forgotten.get(key) ?? -Infinity) >= sentAtMs) return;
    if (value === undefined) {
      this.remembered.delete(key);
      return;
    }
    const scope = this.kind.scopeOf(value);
    this.fence.watch(scope);
    this.remembered.set(key, { value, scope, label: provenBy.rights.get(scope), provenBy, sentAtMs });
  }

  private refreshSoon(key: string): void {
    this.due.add(key);
    if (this.collecting !== undefined || this.refreshing) return;
    this.collecting = setTimeout(() => {
      this.collecting = undefined;
      void this.refresh();
    }, this.fence.leaseMs * COLLECT_FOR);
    this.collecting.unref();
  }

  /** One at a time: where the store is too slow for it, leases run out and callers wait for a query of their own. */
  private async refresh(): Promise<void> {
    const keys = [...this.due].slice(0, MAX_REFRESHED);
    this.due = new Set();
    this.refreshing = true;
    // a caller who needs the answer asks again, and gets the error
    await this.fetch(keys).catch(() => undefined);
    this.refreshing = false;
  }
}

/** By state first: what was sent later may have been answered by a member that knows less. */
function isOlder(provenBy: FencedState, sentAtMs: number, known: Leased<unknown>): boolean {
  if (provenBy.order !== known.provenBy.order) return provenBy.order < known.provenBy.order;
  return sentAtMs < known.sentAtMs;
}
