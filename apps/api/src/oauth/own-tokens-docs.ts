import { applyDecorators } from '@nestjs/common';
import { ApiBasicAuth, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { timeField } from '../http/fields.ts';
import { oauthErrors } from './oauth-docs.ts';

const ownTokens = z
  .object({
    items: z.array(
      z.object({
        id: z.string().meta({
          example: 'tk_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b',
          description: 'Opaque id; it is no part of the token.',
        }),
        issued_at: timeField,
        expires_at: timeField,
        scope: z.string().meta({ example: 'invoices', description: 'API keys that it was issued with.' }),
        issued_to: z
          .string()
          .nullable()
          .meta({ example: '192.0.2.7', description: 'The address that it was issued to.' }),
      }),
    ),
  })
  .meta({ id: 'OwnTokens', description: 'Every live token of the client, oldest first: at most ten.' });

const documented = (summary: string, description: string, ...answers: MethodDecorator[]): MethodDecorator =>
  applyDecorators(
    ApiTags('OAuth 2.0'),
    ApiBasicAuth('client'),
    ApiOperation({ summary, description: `${description} The client’s Allowed IPs apply, as for a new token.` }),
    ...answers,
    ...oauthErrors(
      [400, 'The request is malformed.'],
      [401, '`invalid_client`: authentication failed. The event log has the reason (`sign-in.refused.v1`).'],
      [429, '`temporarily_unavailable`: too many failed sign-ins; see Retry-After.'],
      [503, '`temporarily_unavailable`: the store is away; see Retry-After.'],
    ),
  );

export const DocumentedTokenList = (): MethodDecorator =>
  documented(
    'List one’s own live tokens',
    'By the client. Never the tokens themselves: they are stored nowhere.',
    ApiOkResponse({ description: 'The live tokens.', standardSchema: ownTokens }),
  );

export const DocumentedEndAll = (): MethodDecorator =>
  documented(
    'End all of one’s own tokens',
    'By the client, such as after a crash. They are worthless, on every instance, when this is answered.',
    ApiNoContentResponse({ description: 'No token that was live is valid any longer.' }),
  );

export const DocumentedEndOne = (): MethodDecorator =>
  documented(
    'End one of one’s own tokens',
    'By the client; the id is that of the list. It is worthless, on every instance, when this is answered.',
    ApiParam({ name: 'tokenId', description: 'Id of the list.', example: 'tk_example' }),
    ApiNoContentResponse({ description: 'The token is no longer valid.' }),
    ...oauthErrors([404, '`invalid_request`: the client has no live token with this id.']),
  );
