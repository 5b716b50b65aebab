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

/** RFC 6749 5.2, as documented. */
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

/** Swagger UI fills a member of a form without an example with rubbish; an empty one counts as left out (RFC 6749 3.2). */
const unsent = { example: '' };

const tokenForm = z
  .object({
    grant_type: z.literal('client_credentials'),
    scope: z
      .string()
      .optional()
      .meta({
        ...unsent,
        description: 'API keys, separated by single spaces; left out or empty: all that the credential has.',
      }),
    client_id: z
      .string()
      .optional()
      .meta({ ...unsent, description: 'May be repeated here; must then be the one that signs in.' }),
  })
  .meta({ id: 'TokenRequest', example: { grant_type: 'client_credentials' } });

const tokenAnswer = z
  .object({
    access_token: z
      .string()
      .meta({ example: 'lk_at_example', description: 'Opaque. `lk_at_` + the client’s handle + 43 + 6 characters.' }),
    token_type: z.literal('Bearer').meta({ example: 'Bearer' }),
    expires_in: z.int().meta({ description: 'Seconds.', example: 3600 }),
    scope: z.string().meta({ example: 'invoices', description: 'What was granted: API keys, sorted.' }),
  })
  .meta({ id: 'Token', description: 'RFC 6749 5.1. There is no refresh token.' });

const introspectionForm = z
  .object({
    token: z.string().meta({ example: 'lk_at_example' }),
    client_ip: z
      .string()
      .optional()
      .meta({ example: '127.0.0.1', description: 'The address that the token was used from.' }),
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
        'The token is not good, or none of your business: unknown, malformed, expired, ended, of a credential that is gone.',
    }),
    z
      .object({
        active: z.literal(true),
        client_id: z.string().meta({ example: 'lk_ci_0123456789abcdefghijklmn' }),
        sub: z
          .string()
          .meta({ example: 'lk_ci_0123456789abcdefghijklmn', description: 'The client id: no person is involved.' }),
        scope: z
          .string()
          .meta({ example: 'invoices', description: 'The rights that it has now, as far as you may ask about them.' }),
        token_type: z.literal('Bearer'),
        iat: z.int().meta({ example: 1795426200, description: 'When it was issued, in seconds since 1970.' }),
        exp: z.int().meta({ example: 1795429800, description: 'From when on it is no good, in seconds since 1970.' }),
        iss: z.string().meta({ example: 'https://latchkey.example' }),
        aud: z.array(z.string()).meta({ example: ['invoices'], description: 'The same rights as a list.' }),
        allowed_ips: z
          .array(z.string())
          .optional()
          .meta({
            example: ['192.0.2.0/24'],
            description:
              'Only for a resource server with `requireClientIp: false` that sent no `client_ip`: from where the token is good. Checking that is its own task.',
          }),
      })
      .meta({ id: 'Active', description: 'The token is good.' }),
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
  .meta({ id: 'Metadata', description: 'RFC 8414 2. Which scopes there are is not for everyone, and not listed.' });

const errors = (...list: [number, string][]): MethodDecorator[] =>
  list.map(([status, description]) => ApiResponse({ status, description, standardSchema: oauthError }));

const refusals: [number, string][] = [
  [400, 'The request is malformed.'],
  [
    401,
    '`invalid_client`: authentication failed. The event log has the reason (`sign-in.refused.v1`), the answer has not.',
  ],
  [405, 'Only POST is taken here.'],
  [413, 'The body is larger than 16 KiB.'],
  [
    429,
    '`temporarily_unavailable`: too many failed sign-ins, or (token endpoint) ten tokens are live; see Retry-After.',
  ],
  [503, '`temporarily_unavailable`: the store is away; see Retry-After.'],
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
        'RFC 6749 4.4. Sign in with the client id and secret by HTTP Basic. At most ten tokens of a credential are live at a time.',
    }),
    formBody(tokenForm),
    ApiOkResponse({ description: 'A token.', standardSchema: tokenAnswer }),
    ...errors(...refusals),
  );

export const DocumentedIntrospection = (): MethodDecorator =>
  applyDecorators(
    ApiTags('OAuth 2.0'),
    // Swagger UI sends the last one that is signed in: the one to whom most tokens are of interest
    ApiBasicAuth('client'),
    ApiBasicAuth('resourceServer'),
    ApiOperation({
      summary: 'Ask whether a token is good',
      description:
        'RFC 7662. By a resource server, about the APIs that it names; or by a client, about its own tokens. Send the address of the token’s ' +
        'user as `client_ip`: a token of a credential with Allowed IPs is inactive without it.',
    }),
    formBody(introspectionForm),
    ApiOkResponse({ description: 'The verdict.', standardSchema: introspectionAnswer }),
    ...errors(...refusals),
  );

export const DocumentedRevocation = (): MethodDecorator =>
  applyDecorators(
    ApiTags('OAuth 2.0'),
    ApiBasicAuth('client'),
    ApiOperation({
      summary: 'End a token',
      description: 'RFC 7009. A client ends its own token. A token that is unknown or ended already is 200 as well.',
    }),
    formBody(revocationForm),
    ApiOkResponse({ description: 'It is worthless from now on.' }),
    ...errors(...refusals),
  );

export const DocumentedForwardAuth = (): MethodDecorator =>
  applyDecorators(
    ApiTags('OAuth 2.0'),
    ApiBearerAuth('accessToken'),
    ApiOperation({
      summary: 'Answer a gateway',
      description:
        'For nginx `auth_request`, Traefik, Envoy and their like: may the caller with this `Authorization: Bearer …` call that API? By any method; whatever happens, the answer is 204, 401, 403 or 503, without a body. The gateway signs in beside its caller, with `X-Forward-Auth-Authorization`, and says the caller’s address in `X-Forward-Auth-Client-IP`. Tokens in a query or cookie are not read.',
    }),
    ApiQuery({ name: 'api', required: true, description: 'Key of the API that is called.', example: 'invoices' }),
    ApiHeader({
      name: 'X-Forward-Auth-Authorization',
      required: true,
      description: 'The gateway’s own `Basic …`: it is a resource server that names the API.',
      example: 'Basic rs_example',
    }),
    ApiHeader({ name: 'X-Forward-Auth-Client-IP', required: false, description: 'The caller’s address.' }),
    ApiNoContentResponse({
      description: 'Let it through.',
      headers: {
        'X-Auth-Client-Id': { schema: { type: 'string' } },
        'X-Auth-Operation-Id': { schema: { type: 'string' } },
        'X-Auth-Scope': { schema: { type: 'string' } },
      },
    }),
    ApiResponse({ status: 401, description: 'No token, or a bad one.' }),
    ApiResponse({ status: 403, description: 'The API is not granted, or the address is not allowed.' }),
    ApiResponse({
      status: 503,
      description:
        'The store is away, or the gateway’s own secret is missing or wrong (the log says so). Let no one in.',
    }),
  );

export const DocumentedMetadata = (): MethodDecorator =>
  applyDecorators(
    ApiTags('OAuth 2.0'),
    ApiOperation({ summary: 'Authorization server metadata', description: 'RFC 8414.' }),
    ApiOkResponse({ description: 'Where everything is.', standardSchema: metadataAnswer }),
  );
