import { LRUCache } from 'lru-cache';

/** A scope is no longer read after this time without use. */
const WATCH_MS = 10_000;
/**
 * Each scope costs about 100 bytes ten times a second. Documents of more scopes are read as if they had no version.
 */
const MAX_WATCHED = 5_000;

/** The operations whose rights version this instance needs, because it recently verified their tokens. */
export class WatchedScopes {
  private readonly usedAtMs = new LRUCache<string, number>({ max: MAX_WATCHED });

  use(scope: string): void {
    this.usedAtMs.set(scope, performance.now());
  }

  /** Returns the scopes in use and drops the others. */
  current(): string[] {
    const sinceMs = performance.now() - WATCH_MS;
    for (const [scope, usedAtMs] of this.usedAtMs) if (usedAtMs < sinceMs) this.usedAtMs.delete(scope);
    return [...this.usedAtMs.keys()];
  }
}
