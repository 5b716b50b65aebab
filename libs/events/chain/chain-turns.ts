import { LRUCache } from 'lru-cache';
import { KeyedLock } from './keyed-lock.ts';
import { chainName } from './chain.ts';
import type { ChainHead, LogEvent } from './chain.ts';

/** A chain that another instance wrote to counts as shared for so long, in milliseconds. */
const SHARED_FOR_MS = 2_000;
/**
 * How long an instance leaves a shared chain to others after each turn, in milliseconds: at least as long as the loser of a race
 * pauses, and longer the more conflicts there are, since more instances want a turn.
 */
const MIN_LINGER_MS = 12;
const MAX_LINGER_MS = 90;
const LINGER_GROWTH = 1.2;
const LINGER_DECAY = 0.9;
const CHAINS_REMEMBERED = 10_000;

/**
 * Whose turn it is to write to a chain. Within this instance one writer follows the other. Between instances the store decides, and
 * whoever loses tries again after a pause; were the winner's next writer let in at once, it would win again, and
 * again. So while a chain is seen to be written by others too, it is left alone for a moment after each turn.
 */
export class ChainTurns {
  private readonly locks = new KeyedLock();
  /** Where chains ended after the last event that this instance wrote. */
  private readonly ends = new LRUCache<string, ChainHead>({ max: CHAINS_REMEMBERED });
  private readonly shared = new LRUCache<string, Shared>({ max: CHAINS_REMEMBERED });

  /** Runs `work` when it is its turn on all the chains. */
  run<T>(chains: readonly string[], work: () => Promise<T>): Promise<T> {
    return this.locks.run(chains, work, (chain) => this.pauseMs(chain));
  }

  /** Whether a writer of this instance is at the chain. */
  isTaken(chain: string): boolean {
    return this.locks.isTaken(chain);
  }

  /** Whether other instances were seen to write to the chain lately. */
  isShared(chain: string): boolean {
    return performance.now() < (this.shared.get(chain)?.untilMs ?? 0);
  }

  /**
   * Where the chains are likely to end, as far as this instance can tell without asking. Whoever writes there has to make sure
   * that they do: then nothing else of the chains' operations has changed either since this instance wrote there.
   */
  likelyEnds(chains: readonly string[]): ReadonlyMap<string, ChainHead> {
    const known = new Map<string, ChainHead>();
    for (const chain of chains) {
      const end = this.isShared(chain) ? undefined : this.ends.get(chain);
      if (end !== undefined) known.set(chain, end);
    }
    return known;
  }

  /** Another instance was quicker on one of the chains. */
  lost(chains: readonly string[]): void {
    for (const chain of chains) this.noteShared(chain, LINGER_GROWTH);
  }

  /** It is not known what became of the chains. */
  forget(chains: readonly string[]): void {
    for (const chain of chains) this.ends.delete(chain);
  }

  /** These events were committed: what they follow tells whether others write to their chains. */
  won(events: readonly LogEvent[]): void {
    for (const { operationId, seq, hash } of events) {
      const chain = chainName(operationId);
      const last = this.ends.get(chain)?.seq;
      if (last !== undefined && seq !== last + 1) this.noteShared(chain, LINGER_DECAY);
      this.ends.set(chain, { seq, hash });
    }
  }

  private noteShared(chain: string, growth: number): void {
    const lastMs = this.isShared(chain) ? (this.shared.get(chain)?.lingerMs ?? MIN_LINGER_MS) : MIN_LINGER_MS / growth;
    const lingerMs = Math.min(MAX_LINGER_MS, Math.max(MIN_LINGER_MS, lastMs * growth));
    this.shared.set(chain, { untilMs: performance.now() + SHARED_FOR_MS, lingerMs });
  }

  private pauseMs(chain: string): number {
    if (!this.isShared(chain)) return 0;
    return (this.shared.get(chain)?.lingerMs ?? MIN_LINGER_MS) * (0.75 + Math.random() / 2);
  }
}

/** A chain to which other instances were seen to write. */
interface Shared {
  readonly untilMs: number;
  readonly lingerMs: number;
}
