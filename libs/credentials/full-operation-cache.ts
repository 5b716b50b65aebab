import { LRUCache } from 'lru-cache';
import { DomainError } from '#kernel';

const MAX_OPERATIONS = 1_000;

/**
 * If a queued create finds the operation full, the creates queued before it fail with the same error, without a query.
 * They were called before that moment, so the answer was true while they waited.
 */
export class FullOperationCache {
  private readonly full = new LRUCache<string, { readonly atMs: number; readonly error: DomainError }>({
    max: MAX_OPERATIONS,
  });

  /** @param calledAtMs when the create was called, by the monotonic clock @throws DomainError `credential-limit` */
  check(operationId: string, calledAtMs: number): void {
    const refusal = this.full.get(operationId);
    if (refusal !== undefined && refusal.atMs >= calledAtMs) throw refusal.error;
  }

  /** Looks for a free slot, and remembers if there was none. @throws the errors of `findSlot` */
  async remember<T>(operationId: string, findSlot: () => Promise<T>): Promise<T> {
    try {
      return await findSlot();
    } catch (error) {
      if (error instanceof DomainError && error.code === 'credential-limit') {
        this.full.set(operationId, { atMs: performance.now(), error });
      }
      throw error;
    }
  }
}
