import type { ChainHead } from '../chain/chain.ts';
import type { Tombstone } from './tombstone.ts';

/** How far a chain had come, as far as tombstones and checkpoints tell. */
export interface ChainMark extends ChainHead {
  readonly chain: string;
  readonly at: string;
}

/**
 * The newest mark of each chain. After a reconciliation the marks of the lost history no longer hold; the line that says so comes in
 * any order, so those lines are added first (`supersede`), then all of them (`add`).
 */
export class ChainMarks {
  private readonly superseded = new Map<string, string>();
  private readonly newest = new Map<string, ChainMark>();
  private latest = '';

  supersede({ kind, chain, supersedes }: Tombstone): void {
    if (kind !== 'reconciled' || supersedes === undefined) return;
    if (supersedes > (this.superseded.get(chain) ?? '')) this.superseded.set(chain, supersedes);
  }

  add({ chain, seq, hash, at }: Tombstone): void {
    if (at > this.latest) this.latest = at;
    if (at <= (this.superseded.get(chain) ?? '')) return;
    if (seq > (this.newest.get(chain)?.seq ?? 0)) this.newest.set(chain, { chain, seq, hash, at });
  }

  /** Whether the line's mark is the one that counts for its chain. */
  isNewest({ chain, seq, hash }: Tombstone): boolean {
    const newest = this.newest.get(chain);
    return newest?.seq === seq && newest.hash === hash;
  }

  /** Whether the line is the reconciliation that counts for its chain. */
  isSuperseding({ kind, chain, supersedes }: Tombstone): boolean {
    return kind === 'reconciled' && this.superseded.get(chain) === supersedes;
  }

  list(): ChainMark[] {
    return [...this.newest.values()];
  }

  /** Time of the newest line, of whatever chain; '' without any. */
  get latestAt(): string {
    return this.latest;
  }
}
