import { LRUCache } from 'lru-cache';
import { KeyedLock } from './keyed-lock.ts';
import { chainName } from './chain-name.ts';
import type { ChainHead, LogEvent } from './chain.ts';
import type { ChainName } from './chain-name.ts';

/** How long a chain counts as shared after a write of another instance. */
const SHARED_MS = 2_000;
/**
 * How long an instance leaves a shared chain to others after each turn: at least as long as the loser of a race pauses,
 * and longer with each conflict, because then more instances compete.
 */
const MIN_YIELD_MS = 12;
const MAX_YIELD_MS = 90;
const YIELD_GROWTH = 1.2;
const YIELD_DECAY = 0.9;
const MAX_CACHED_CHAINS = 10_000;

/**
 * Orders the writers of a chain. Within an instance they queue; between instances the store decides, and the loser
 * retries after a pause. So an instance pauses after each turn on a shared chain, or it would win every time.
 */
export class ChainTurns {
  private readonly locks = new KeyedLock<ChainName>();
  /** The heads of chains after the last event that this instance wrote. */
  private readonly ends = new LRUCache<string, ChainHead>({ max: MAX_CACHED_CHAINS });
  private readonly shared = new LRUCache<string, Shared>({ max: MAX_CACHED_CHAINS });

  /** Runs `work` once it is its turn on all chains. */
  run<T>(chains: readonly ChainName[], work: () => Promise<T>): Promise<T> {
    return this.locks.run(chains, work, (chain) => this.pauseMs(chain));
  }

  /** Whether a writer of this instance holds the chain. */
  isTaken(chain: ChainName): boolean {
    return this.locks.isTaken(chain);
  }

  /** Whether other instances wrote to the chain recently. */
  isShared(chain: ChainName): boolean {
    return performance.now() < (this.shared.get(chain)?.untilMs ?? 0);
  }

  /**
   * The likely heads of the chains, without a query. A transaction that relies on one must advance the chain from
   * exactly this head, or retry; then nothing else of the operation has changed since this instance wrote.
   */
  likelyEnds(chains: readonly ChainName[]): ReadonlyMap<ChainName, ChainHead> {
    const known = new Map<ChainName, ChainHead>();
    for (const chain of chains) {
      const end = this.isShared(chain) ? undefined : this.ends.get(chain);
      if (end !== undefined) known.set(chain, end);
    }
    return known;
  }

  /** Call when another instance wrote to one of the chains first. */
  noteLoss(chains: readonly ChainName[]): void {
    for (const chain of chains) this.noteShared(chain, YIELD_GROWTH);
  }

  /** Call when the state of the chains is unknown. */
  forget(chains: readonly ChainName[]): void {
    for (const chain of chains) this.ends.delete(chain);
  }

  /** Call after the commit of these events. A gap before them shows that other instances write to their chains. */
  noteCommit(events: readonly LogEvent[]): void {
    for (const { operationId, seq, hash } of events) {
      const chain = chainName(operationId);
      const last = this.ends.get(chain)?.seq;
      if (last !== undefined && seq !== last + 1) this.noteShared(chain, YIELD_DECAY);
      this.ends.set(chain, { seq, hash });
    }
  }

  private noteShared(chain: ChainName, growth: number): void {
    const lastMs = this.isShared(chain) ? (this.shared.get(chain)?.yieldMs ?? MIN_YIELD_MS) : MIN_YIELD_MS / growth;
    const yieldMs = Math.min(MAX_YIELD_MS, Math.max(MIN_YIELD_MS, lastMs * growth));
    this.shared.set(chain, { untilMs: performance.now() + SHARED_MS, yieldMs });
  }

  private pauseMs(chain: ChainName): number {
    if (!this.isShared(chain)) return 0;
    return (this.shared.get(chain)?.yieldMs ?? MIN_YIELD_MS) * (0.75 + Math.random() / 2);
  }
}

/** A chain to which other instances wrote recently. */
interface Shared {
  readonly untilMs: number;
  readonly yieldMs: number;
}
