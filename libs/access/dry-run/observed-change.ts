import type { StoredCredential } from '#credentials';
import type { DomainEvent } from '#kernel';
import type { TokenDocument } from '#tokens';

/** A change as its transaction showed it before the rollback. */
export interface ObservedChange {
  /** The events that it would have written. */
  readonly events: readonly DomainEvent[];
  readonly at: Date;
  /** The credentials that it concerns. */
  readonly credentials: readonly {
    readonly before: StoredCredential;
    /** undefined: it is deleted */
    readonly after: StoredCredential | undefined;
  }[];
  /** Live tokens before the change, and whether it ends them. */
  readonly tokens: readonly { readonly token: TokenDocument; readonly isEnded: boolean }[];
}
