import { LRUCache } from 'lru-cache';
import type { TokenSlot } from '#tokens';

/** Each needs some kilobytes. The least recently used is dropped first. */
const MAX_OPERATIONS = 1_000;

/** The cached state of a credential as of a certain head of its operation's chain. */
export interface KnownCredential {
  readonly version: number;
  /** Its stored tokens. Expired ones may be deleted already. */
  readonly slots: readonly TokenSlot[];
  /** When the last use of each secret was noted. */
  readonly notedAt: ReadonlyMap<string, Date>;
}

interface KnownOperation {
  readonly seq: number;
  readonly credentials: Map<string, KnownCredential>;
}

/**
 * The state after this instance's last transaction, by operation. Each change appends to the operation's chain, so the
 * state holds while the head is the same. A transaction that relies on it must advance exactly this head, or retry.
 */
export class KnownSlots {
  private readonly operations = new LRUCache<string, KnownOperation>({ max: MAX_OPERATIONS });

  /**
   * The cached state of the credential, if the chain head is still the same.
   * @param seq the chain head; undefined if unknown
   */
  of(operationId: string, seq: number | undefined, credentialId: string): KnownCredential | undefined {
    const known = seq === undefined ? undefined : this.operations.get(operationId);
    return known?.seq === seq ? known?.credentials.get(credentialId) : undefined;
  }

  /**
   * Stores the state after a committed transaction.
   *
   * @param before the chain head before it, if known
   * @param after the chain head after it
   */
  learn(
    operationId: string,
    [before, after]: readonly [number | undefined, number],
    credentials: ReadonlyMap<string, KnownCredential>,
  ): void {
    const known = this.operations.get(operationId);
    const kept = known !== undefined && known.seq === before ? known.credentials : new Map<string, KnownCredential>();
    for (const [id, credential] of credentials) kept.set(id, credential);
    this.operations.set(operationId, { seq: after, credentials: kept });
  }
}
