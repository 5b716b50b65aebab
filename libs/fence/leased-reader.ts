import { LRUCache } from 'lru-cache';
import { Coalescer } from './coalescer.ts';
import type { Fence } from './fence.ts';
import { ageMs } from './fenced-state.ts';
import type { FencedState } from './fenced-state.ts';
import { isSameVersion } from './rights.ts';
import type { DependsOn, RightsVersion } from './rights.ts';

/**
 * The maximum time that an instance may answer from its cache, in milliseconds: L of docs/adr/0003-the-lease.md.
 * A write that changes rights is answered only after this time, so "answered" means "in force on every instance".
 */
export const LEASE_CEILING_MS = 250;

/**
 * Allows for clocks that run at different rates, in milliseconds. chrony slews a clock by up to 8.33 %: 300 ms on a
 * clock that is this fast are still more than 250 ms on one that is this slow.
 */
const CLOCK_RATE_MARGIN_MS = 50;

/**
 * After this share of the lease, a document in use is read again in the background, so that no caller has to wait.
 */
const REFRESH_FROM = 0.5;
/** Keys to refresh are collected for this share of the lease: one query for many costs little more than for one. */
const COLLECT_FOR = 0.15;
/** How long look-ups of callers that can wait are collected, in milliseconds: at most twenty queries a second. */
const COLLECT_MS = 50;
/** Maximum number of keys in one query of callers that can wait. */
const MAX_COLLECTED = 2_000;
const DEFAULT_CAPACITY = 20_000;
/** Maximum number of keys in one background query. */
const MAX_REFRESHED = 500;

/**
 * Resolves when no instance uses anything any more that was read before the commit.
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
   * The rights version of its scope in the state under which its query was sent. A later version may not be true of it.
   */
  readonly label: RightsVersion | undefined;
  /** The newest state of which it is known to be true. */
  provenBy: FencedState;
  readonly sentAtMs: number;
}

/** A kind of documents, and how to read them. */
export interface LeasedKind<V> {
  readonly load: Load<V>;
  /** The operation (or `platform`) whose rights version the document belongs to. */
  readonly scopeOf: (value: V) => string;
  readonly dependsOn: DependsOn;
  /**
   * When the document expires and may be deleted without a new rights version, in milliseconds since the epoch.
   */
  readonly endsAtMs?: (value: V) => number;
  /** Maximum number of cached documents. Default: 20,000. */
  readonly capacity?: number;
}

/** The result of an audit. */
export interface AuditResult {
  readonly compared: number;
  /** Keys of documents that differ from the store. */
  readonly differing: readonly string[];
  /** Whether everything that was cached when the round began has been compared. */
  readonly isRoundOver: boolean;
}

/** Reads documents by key, as of the state's floor or later. The map omits keys without a document. */
export type Load<V> = (keys: string[], state: FencedState) => Promise<Map<string, V>>;

/**
 * Reads documents by key, in batches, and caches them. A document may be used while the rights version of its scope is
 * unchanged. Without a version, it may be used until the lease of the state under which it was read expires. Misses are
 * not cached, so a new document is found immediately.
 *
 * A document in use whose version is missing or has changed is read again in the background before its lease expires,
 * many keys at a time.
 */
export class LeasedReader<V extends object> {
  private readonly remembered: LRUCache<string, Leased<V>>;
  private readonly coalescer: Coalescer<V>;
  private readonly collecting: Coalescer<V>;
  private due = new Set<string>();
  private refreshTimer: NodeJS.Timeout | undefined;
  private refreshing = false;
  private queries = 0;
  /** Keys that this round of the audit has not compared yet. */
  private unaudited: string[] = [];
  /** Keys that were forgotten while queries were running, and when: the results of these queries are older. */
  private readonly forgotten = new Map<string, number>();

  constructor(
    private readonly fence: Fence,
    private readonly kind: LeasedKind<V>,
  ) {
    this.remembered = new LRUCache({ max: kind.capacity ?? DEFAULT_CAPACITY });
    this.coalescer = new Coalescer((keys) => this.fetch(keys));
    const collected = async (keys: string[]): Promise<Map<string, V>> => {
      await new Promise((resolve) => setTimeout(resolve, COLLECT_MS));
      return this.fetch(keys);
    };
    this.collecting = new Coalescer(collected, 1, MAX_COLLECTED);
  }

  /** The cached document of the key, if a verification beginning now may use it. Does not query the store. */
  peek(key: string): V | undefined {
    const leased = this.remembered.get(key);
    const state = this.fence.current();
    if (leased === undefined || state === undefined) return undefined;
    return leased.provenBy === state || this.holds(key, leased, state) ? leased.value : undefined;
  }

  /** The document of the key, as of the last fence or later. @throws DomainError `store-unavailable` */
  async get(key: string): Promise<V | undefined> {
    const known = this.peek(key);
    if (known !== undefined) return known;
    const askedAtMs = performance.now();
    // after a pause, the next fence may show that the cached document is still valid
    if (this.remembered.has(key) && this.fence.current() === undefined) await this.fence.ready();
    return this.peek(key) ?? (await this.coalescer.get(key, askedAtMs));
  }

  /** The document of the key, read now. @throws DomainError `store-unavailable` */
  fresh(key: string): Promise<V | undefined> {
    return this.coalescer.get(key);
  }

  /**
   * The document of the key, read now, for callers that can wait. However many there are, they cost the store at most
   * twenty queries a second.
   *
   * @throws DomainError `store-unavailable`
   */
  freshCollected(key: string): Promise<V | undefined> {
    return this.collecting.get(key);
  }

  /** Removes the key from this instance's cache. Other instances go by the lease. */
  forget(key: string): void {
    this.remembered.delete(key);
    if (this.queries > 0) this.forgotten.set(key, performance.now());
  }

  /**
   * Compares the next cached documents with the store. A document that differs although its rights version is the same
   * before and after the read is wrong: something changed without a new version.
   *
   * @param maxKeys the maximum number to compare
   * @param atMs the time by the store's clock; documents that have expired by then are skipped
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
    // checked when the query begins: checked at its answer, a slow store would be queried forever
    const state = await this.fence.ready();
    const sentAtMs = performance.now();
    this.queries += 1;
    try {
      const found = await this.kind.load(keys, state);
      for (const key of keys) this.learn(key, found.get(key), state, sentAtMs);
      return found;
    } finally {
      this.queries -= 1;
      if (this.queries === 0) this.forgotten.clear();
    }
  }

  /** Never replaces a newer document by an older one, in whatever order the answers arrive. */
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
    if (this.refreshTimer !== undefined || this.refreshing) return;
    this.refreshTimer = setTimeout(() => {
      this.refreshTimer = undefined;
      void this.refresh();
    }, this.fence.leaseMs * COLLECT_FOR);
    this.refreshTimer.unref();
  }

  /** One at a time. If the store is too slow for that, leases expire and callers wait for their own queries. */
  private async refresh(): Promise<void> {
    const keys = [...this.due].slice(0, MAX_REFRESHED);
    this.due = new Set();
    this.refreshing = true;
    // a caller that needs the document reads it again, and gets the error
    await this.fetch(keys).catch(() => undefined);
    this.refreshing = false;
  }
}

/** Compares states first: a query that was sent later may have been answered by a member that lags. */
function isOlder(provenBy: FencedState, sentAtMs: number, known: Leased<unknown>): boolean {
  if (provenBy.order !== known.provenBy.order) return provenBy.order < known.provenBy.order;
  return sentAtMs < known.sentAtMs;
}
