export { AccessModule } from './access.module.ts';
export { AuthenticationFailed, ForeignToken, ScopeRefused, TokenLimitReached } from './domain/access-error.ts';
export { ClientAuthenticator } from './client-authenticator.ts';
export { IssueTokenCommand } from './commands/issue-token.command.ts';
export { RevokeTokenCommand } from './commands/revoke-token.command.ts';
export { TokenVerifier, mayUseFrom } from './token-verifier.ts';
export type { AuthenticatedClient, AuthenticatedResourceServer } from './client-authenticator.ts';
export type { GoodToken } from './token-verifier.ts';
