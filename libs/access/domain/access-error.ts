import type { RefusalReason } from '#event-types';
import { Refusal } from '#kernel';
import type { Subject } from '#kernel';

/** Whom a caller claimed to be, when there is such a one. */
export interface Claimed {
  readonly operationId: string | null;
  readonly subject: Subject;
}

const NOBODY: Claimed = { operationId: null, subject: { type: 'unknown', id: 'unknown' } };

/** A client or resource server could not be authenticated. All reasons look the same from outside. */
export class AuthenticationFailed extends Refusal {
  override readonly name = 'AuthenticationFailed';
  constructor(
    readonly reason: RefusalReason,
    readonly claimed: Claimed = NOBODY,
  ) {
    super('authentication failed');
  }
}

/** The credential has as many live tokens as it may. */
export class TokenLimitReached extends Refusal {
  override readonly name = 'TokenLimitReached';
  /** @param retryAfterSeconds until the first of them ends */
  constructor(readonly retryAfterSeconds: number) {
    super(`token limit reached, for ${retryAfterSeconds} s`);
  }
}

/** The scope asked for is unknown, or more than was granted. */
export class ScopeRefused extends Refusal {
  override readonly name = 'ScopeRefused';
  constructor() {
    super('scope refused');
  }
}

/** The token belongs to another client (RFC 7009 2.1). */
export class ForeignToken extends Refusal {
  override readonly name = 'ForeignToken';
  constructor() {
    super('the token belongs to another client');
  }
}
