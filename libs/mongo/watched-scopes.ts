import { LRUCache } from 'lru-cache';

/** A scope that was not used for so long is not read any more, in milliseconds. */
const WATCHED_FOR_MS = 10_000;
/** Maximum number of scopes: some 100 bytes each, ten times a second. Documents of others are read as if they had no version. */
const MAX_WATCHED = 5_000;

/** The operations whose rights version an instance needs, because it was asked about their tokens lately. */
export class WatchedScopes {
  private readonly usedAtMs = new LRUCache<string, number>({ max: MAX_WATCHED });

  use(scope: string): void {
    this.usedAtMs.set(scope, performance.now());
  }

  /** Those that are in use, without the ones that no longer are. */
  current(): string[] {
    const sinceMs = performance.now() - WATCHED_FOR_MS;
    for (const [scope, usedAtMs] of this.usedAtMs) if (usedAtMs < sinceMs) this.usedAtMs.delete(scope);
    return [...this.usedAtMs.keys()];
  }
}
