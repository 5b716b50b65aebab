import { Module } from '@nestjs/common';
import { OidcClient } from './oidc-client.ts';
import { OidcTokens } from './oidc-tokens.ts';

@Module({ providers: [OidcClient, OidcTokens], exports: [OidcClient, OidcTokens] })
export class OpenIdConnectModule {}
