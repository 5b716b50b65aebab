import type { RefusalReason } from '#event-types';
import { Refusal } from '#kernel';
import type { Subject } from '#kernel';

/** The client or resource server that a caller claimed to be, if it exists. */
export interface Claimed {
  readonly operationId: string | null;
  readonly subject: Subject;
}

const NOBODY: Claimed = { operationId: null, subject: { type: 'unknown', id: 'unknown' } };

/** A client or resource server could not be authenticated. All reasons get the same answer. */
export class AuthenticationFailed extends Refusal {
  override readonly name = 'AuthenticationFailed';
  constructor(
    readonly reason: RefusalReason,
    readonly claimed: Claimed = NOBODY,
  ) {
    super('authentication failed');
  }
}

/** The credential has the maximum number of live tokens. */
export class TokenLimitReached extends Refusal {
  override readonly name = 'TokenLimitReached';
  /** @param retryAfterSeconds until the first of them ends */
  constructor(readonly retryAfterSeconds: number) {
    super(`token limit reached, for ${retryAfterSeconds} s`);
  }
}

/** The requested scope is unknown or exceeds the granted one. */
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
