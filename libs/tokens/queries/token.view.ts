import type { TokenDocument } from '../persistence/token.repository.ts';

/** A live token as shown by the API: without the token itself. */
export interface TokenView {
  readonly id: string;
  readonly issuedAt: string;
  readonly expiresAt: string;
  readonly scope: string;
  readonly issuedTo: string | null;
}

export function tokenView(token: TokenDocument): TokenView {
  return {
    id: token.id,
    issuedAt: token.issuedAt.toISOString(),
    expiresAt: token.expiresAt.toISOString(),
    scope: token.scope.join(' '),
    issuedTo: token.issuedTo,
  };
}
