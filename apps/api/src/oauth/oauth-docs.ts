import { applyDecorators } from '@nestjs/common';
import {
  ApiBasicAuth,
  ApiBearerAuth,
  ApiBody,
  ApiConsumes,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiQuery,
  ApiResponse,
  ApiTags,
} from '@nestjs/swagger';
import { z } from 'zod';

/** RFC 6749 5.2. */
const oauthError = z
  .object({
    error: z.enum([
      'invalid_request',
      'invalid_client',
      'unsupported_grant_type',
      'invalid_scope',
      'temporarily_unavailable',
      'server_error',
    ]),
    error_description: z.string(),
  })
  .meta({ id: 'OAuthError', description: 'RFC 6749 5.2.' });

/** Without an example, Swagger UI sends a made-up value; an empty one counts as omitted (RFC 6749 3.2). */
const unsent = { example: '' };

const tokenForm = z
  .object({
    grant_type: z.literal('client_credentials'),
    scope: z
      .string()
      .optional()
      .meta({
        ...unsent,
        description: 'API keys, separated by single spaces. Omitted or empty: all APIs of the credential.',
      }),
    client_id: z
      .string()
      .optional()
      .meta({ ...unsent, description: 'Optional. If sent, it must be the client that signs in.' }),
  })
  .meta({ id: 'TokenRequest', example: { grant_type: 'client_credentials' } });

const tokenAnswer = z
  .object({
    access_token: z.string().meta({
      example: 'lk_at_example',
      description: 'Opaque: `lk_at_`, the client’s handle, and 49 more characters.',
    }),
    token_type: z.literal('Bearer').meta({ example: 'Bearer' }),
    expires_in: z.int().meta({ description: 'Lifetime in seconds.', example: 3600 }),
    scope: z.string().meta({ example: 'invoices', description: 'The granted API keys, sorted.' }),
  })
  .meta({ id: 'Token', description: 'RFC 6749 5.1. There is no refresh token.' });

const introspectionForm = z
  .object({
    token: z.string().meta({ example: 'lk_at_example' }),
    client_ip: z
      .string()
      .optional()
      .meta({ example: '127.0.0.1', description: 'The address from which the token was used.' }),
    token_type_hint: z
      .string()
      .optional()
      .meta({ ...unsent, description: 'Ignored.' }),
  })
  .meta({ id: 'IntrospectionRequest', example: { token: 'lk_at_example' } });

const introspectionAnswer = z
  .union([
    z.object({ active: z.literal(false) }).meta({
      id: 'Inactive',
      description:
        'The token is not valid, or you may not know about it: unknown, malformed, expired, revoked, or of a deleted ' +
        'credential.',
    }),
    z
      .object({
        active: z.literal(true),
        client_id: z.string().meta({ example: 'lk_ci_0123456789abcdefghijklmn' }),
        sub: z.string().meta({
          example: 'lk_ci_0123456789abcdefghijklmn',
          description: 'The client id, because no person is involved.',
        }),
        scope: z.string().meta({
          example: 'invoices',
          description: 'The current rights of the token, limited to the APIs about which you may ask.',
        }),
        token_type: z.literal('Bearer'),
        iat: z.int().meta({ example: 1795426200, description: 'Time of issue, in seconds since 1970.' }),
        exp: z.int().meta({ example: 1795429800, description: 'Time of expiry, in seconds since 1970.' }),
        iss: z.string().meta({ example: 'https://latchkey.example' }),
        aud: z.array(z.string()).meta({ example: ['invoices'], description: 'The same rights as a list.' }),
        allowed_ips: z
          .array(z.string())
          .optional()
          .meta({
            example: ['192.0.2.0/24'],
            description:
              'The addresses from which the token is valid. Only for a resource server with `requireClientIp: false` ' +
              'that sent no `client_ip`; it must check the address itself.',
          }),
      })
      .meta({ id: 'Active', description: 'The token is valid.' }),
  ])
  .meta({ id: 'Introspection', description: 'RFC 7662 2.2.', example: { active: false } });

const revocationForm = z
  .object({
    token: z.string().meta({ example: 'lk_at_example' }),
    token_type_hint: z
      .string()
      .optional()
      .meta({ ...unsent, description: 'Ignored.' }),
  })
  .meta({ id: 'RevocationRequest', example: { token: 'lk_at_example' } });

const methods = z.array(z.literal('client_secret_basic'));
const metadataAnswer = z
  .object({
    issuer: z.string().meta({ example: 'https://latchkey.example' }),
    token_endpoint: z.string(),
    token_endpoint_auth_methods_supported: methods,
    grant_types_supported: z.array(z.literal('client_credentials')),
    response_types_supported: z.array(z.string()).max(0),
    introspection_endpoint: z.string(),
    introspection_endpoint_auth_methods_supported: methods,
    revocation_endpoint: z.string(),
    revocation_endpoint_auth_methods_supported: methods,
    service_documentation: z.string(),
  })
  .meta({ id: 'Metadata', description: 'RFC 8414 2. Scopes are not listed, because the catalogue is not public.' });

export const oauthErrors = (...list: [number, string][]): MethodDecorator[] =>
  list.map(([status, description]) => ApiResponse({ status, description, standardSchema: oauthError }));

const refusals: [number, string][] = [
  [400, 'The request is malformed.'],
  [401, '`invalid_client`: authentication failed. Only the event log has the reason (`sign-in.refused.v1`).'],
  [405, 'Only POST is accepted.'],
  [413, 'The body is larger than 16 KiB.'],
  [429, '`temporarily_unavailable`: too many failed sign-ins, or (token endpoint) ten live tokens. See Retry-After.'],
  [503, '`temporarily_unavailable`: the store is unavailable. See Retry-After.'],
];

const formBody = (schema: z.ZodType): MethodDecorator =>
  applyDecorators(
    ApiConsumes('application/x-www-form-urlencoded'),
    ApiBody({ standardSchema: schema, required: true } as never),
  );

export const DocumentedToken = (): MethodDecorator =>
  applyDecorators(
    ApiTags('OAuth 2.0'),
    ApiBasicAuth('client'),
    ApiOperation({
      summary: 'Get an access token',
      description:
        'RFC 6749 4.4. Sign in with client id and secret by HTTP Basic. A credential has at most ten live tokens.',
    }),
    formBody(tokenForm),
    ApiOkResponse({ description: 'A token.', standardSchema: tokenAnswer }),
    ...oauthErrors(...refusals),
  );

export const DocumentedIntrospection = (): MethodDecorator =>
  applyDecorators(
    ApiTags('OAuth 2.0'),
    // Swagger UI sends the last scheme that is signed in, so the resource server comes last
    ApiBasicAuth('client'),
    ApiBasicAuth('resourceServer'),
    ApiOperation({
      summary: 'Check a token',
      description:
        'RFC 7662. For a resource server, about the APIs that it names, or a client, about its own tokens. Send the ' +
        'address of the token’s user as `client_ip`; without it, a token of a credential with Allowed IPs is inactive.',
    }),
    formBody(introspectionForm),
    ApiOkResponse({ description: 'The verdict.', standardSchema: introspectionAnswer }),
    ...oauthErrors(...refusals),
  );

export const DocumentedRevocation = (): MethodDecorator =>
  applyDecorators(
    ApiTags('OAuth 2.0'),
    ApiBasicAuth('client'),
    ApiOperation({
      summary: 'Revoke a token',
      description:
        'RFC 7009. A client revokes its own token. The answer for an unknown or already revoked token is also 200.',
    }),
    formBody(revocationForm),
    ApiOkResponse({ description: 'The token is revoked on every instance.' }),
    ...oauthErrors(...refusals),
  );

export const DocumentedForwardAuth = (): MethodDecorator =>
  applyDecorators(
    ApiTags('OAuth 2.0'),
    ApiBearerAuth('accessToken'),
    ApiOperation({
      summary: 'Authorise a request for a gateway',
      description:
        'For nginx `auth_request`, Traefik, Envoy and similar gateways: may the caller with this ' +
        '`Authorization: Bearer …` call that API? Accepts any method. The answer is always 204, 401, 403 or 503, ' +
        'without a body. The gateway signs in with `X-Forward-Auth-Authorization` and sends the caller’s address in ' +
        '`X-Forward-Auth-Client-IP`. Tokens in a query or cookie are ignored.',
    }),
    ApiQuery({ name: 'api', required: true, description: 'The key of the called API.', example: 'invoices' }),
    ApiHeader({
      name: 'X-Forward-Auth-Authorization',
      required: true,
      description: 'The gateway’s own `Basic …`. The gateway is a resource server that names the API.',
      example: 'Basic rs_example',
    }),
    ApiHeader({ name: 'X-Forward-Auth-Client-IP', required: false, description: 'The caller’s address.' }),
    ApiNoContentResponse({
      description: 'Allow the request.',
      headers: {
        'X-Auth-Client-Id': { schema: { type: 'string' } },
        'X-Auth-Operation-Id': { schema: { type: 'string' } },
        'X-Auth-Scope': { schema: { type: 'string' } },
      },
    }),
    ApiResponse({ status: 401, description: 'The token is missing or not valid.' }),
    ApiResponse({ status: 403, description: 'The API is not granted, or the address is not allowed.' }),
    ApiResponse({
      status: 503,
      description:
        'The store is unavailable, or the gateway’s own secret is missing or wrong (see the log). Deny the request.',
    }),
  );

export const DocumentedMetadata = (): MethodDecorator =>
  applyDecorators(
    ApiTags('OAuth 2.0'),
    ApiOperation({ summary: 'Authorization server metadata', description: 'RFC 8414.' }),
    ApiOkResponse({ description: 'The metadata.', standardSchema: metadataAnswer }),
  );
