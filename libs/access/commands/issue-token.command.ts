import { Command } from '@nestjs/cqrs';
import type { AuthenticatedClient } from '../client-authenticator.ts';

/** A token as RFC 6749 5.1 answers it. */
export interface IssuedToken {
  readonly accessToken: string;
  readonly expiresIn: number;
  readonly scope: readonly string[];
}

/** What a client asked for, and how. */
export interface TokenRequest {
  /** The `scope` parameter as it was sent. */
  readonly scope: string | undefined;
  readonly address: string | undefined;
  readonly requestId: string;
  /** When the caller has to be answered, by `performance.now()`. */
  readonly deadlineAtMs: number;
}

/** Trades a client's secret for an access token. */
export class IssueTokenCommand extends Command<IssuedToken> {
  constructor(
    readonly client: AuthenticatedClient,
    /** To judge anew, should the credential change under way. */
    readonly clientSecret: string,
    readonly request: TokenRequest,
  ) {
    super();
  }
}
