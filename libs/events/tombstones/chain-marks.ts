import type { ChainHead, ChainName } from '#chain';
import type { Tombstone } from './tombstone.ts';

/** A position that a chain had reached, according to a tombstone or checkpoint. */
export interface ChainMark extends ChainHead {
  readonly chain: ChainName;
  readonly at: string;
}

/**
 * The newest mark of each chain. A reconciliation invalidates the marks of the lost history. Its line can come in any
 * order, so call `supersede` for all lines first, then `add` for all.
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

  /** Whether the line is the newest mark of its chain. */
  isNewest({ chain, seq, hash }: Tombstone): boolean {
    const newest = this.newest.get(chain);
    return newest?.seq === seq && newest.hash === hash;
  }

  /** Whether the line is the newest reconciliation of its chain. */
  isSuperseding({ kind, chain, supersedes }: Tombstone): boolean {
    return kind === 'reconciled' && this.superseded.get(chain) === supersedes;
  }

  list(): ChainMark[] {
    return [...this.newest.values()];
  }

  /** Time of the newest line of all chains; empty if there are no lines. */
  get latestAt(): string {
    return this.latest;
  }
}
