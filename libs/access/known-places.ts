import { LRUCache } from 'lru-cache';
import type { TokenPlace } from '#tokens';

/** Operations that are remembered at most, the one not seen for longest goes first: some kilobytes each. */
const OPERATIONS_REMEMBERED = 1_000;

/** What was true of a credential when its operation's chain ended at a certain event. */
export interface KnownCredential {
  readonly version: number;
  /** Its stored tokens. Those that have run out may be gone. */
  readonly places: readonly TokenPlace[];
  /** Secrets, and when their last use was noted. */
  readonly notedAt: ReadonlyMap<string, Date>;
}

interface KnownOperation {
  readonly seq: number;
  readonly credentials: Map<string, KnownCredential>;
}

/**
 * What this instance's transactions left behind, by operation. Whatever changes a credential or ends a token appends an
 * event to the operation's chain in the same transaction. So as long as the chain ends where the last of them left it,
 * all this still is as it was then; and whoever goes by it has to move that very end on, or start again.
 */
export class KnownPlaces {
  private readonly operations = new LRUCache<string, KnownOperation>({ max: OPERATIONS_REMEMBERED });

  /**
   * What is known of the credential if the operation's chain ends there.
   * @param seq undefined: it is not known where
   */
  of(operationId: string, seq: number | undefined, credentialId: string): KnownCredential | undefined {
    const known = seq === undefined ? undefined : this.operations.get(operationId);
    return known?.seq === seq ? known?.credentials.get(credentialId) : undefined;
  }

  /**
   * Learns what a committed transaction left behind.
   *
   * @param before where the chain ended when it began, as far as that was known
   * @param after where it ended with it
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
