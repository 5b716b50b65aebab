import { LRUCache } from 'lru-cache';
import { DomainError } from '#kernel';

/** Operations that are remembered as full at most; one that is forgotten costs a look into the store. */
const REMEMBERED = 1_000;

/**
 * Spares those who wait in line for an operation the way to the store when one before them was told that it is full.
 * Each of them had asked before that moment, so the answer was true while they waited: a hundred who ask at once are
 * refused in the time of one.
 */
export class RefusalsInLine {
  private readonly full = new LRUCache<string, { readonly atMs: number; readonly error: DomainError }>({
    max: REMEMBERED,
  });

  /** @param askedAtMs when the caller asked, by the monotonic clock @throws DomainError `credential-limit` */
  check(operationId: string, askedAtMs: number): void {
    const refusal = this.full.get(operationId);
    if (refusal !== undefined && refusal.atMs >= askedAtMs) throw refusal.error;
  }

  /** Runs the look for a place, and remembers when there was none. */
  async remember<T>(operationId: string, look: () => Promise<T>): Promise<T> {
    try {
      return await look();
    } catch (error) {
      if (error instanceof DomainError && error.code === 'credential-limit') {
        this.full.set(operationId, { atMs: performance.now(), error });
      }
      throw error;
    }
  }
}
