import { Controller, Get, Header, Inject } from '@nestjs/common';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { Public } from '../http/access.ts';
import { DocumentedMetadata } from './oauth-docs.ts';

const BASIC = ['client_secret_basic'];

@Controller('.well-known')
@Public()
export class MetadataController {
  constructor(@Inject(CONFIG) private readonly config: Config) {}

  @Get('oauth-authorization-server')
  @Header('cache-control', 'public, max-age=3600')
  @DocumentedMetadata()
  metadata(): object {
    const issuer = this.config.publicUrl;
    // RFC 8414 2. `scopes_supported` is omitted, because the catalogue is not public
    return {
      issuer,
      token_endpoint: `${issuer}/oauth2/token`,
      token_endpoint_auth_methods_supported: BASIC,
      grant_types_supported: ['client_credentials'],
      response_types_supported: [],
      introspection_endpoint: `${issuer}/oauth2/introspect`,
      introspection_endpoint_auth_methods_supported: BASIC,
      revocation_endpoint: `${issuer}/oauth2/revoke`,
      revocation_endpoint_auth_methods_supported: BASIC,
      service_documentation: `${issuer}/docs`,
    };
  }
}
