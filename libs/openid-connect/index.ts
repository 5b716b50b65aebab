export { OpenIdConnectModule } from './openid-connect.module.ts';
export { claimedPerson } from './oidc-claims.ts';
export { OidcClient } from './oidc-client.ts';
export { OidcTokens } from './oidc-tokens.ts';
export type { ClaimedPerson } from './oidc-claims.ts';
export type { OidcFlow } from './oidc-client.ts';
