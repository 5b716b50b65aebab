import { z } from 'zod';
import { idField, timeField } from '../http/fields.ts';
import type { CredentialPath } from './credentials.dto.ts';

/** The path of one token of a credential. */
export interface TokenPath extends CredentialPath {
  readonly tokenId: string;
}

export const tokenListAnswer = z
  .object({
    items: z.array(
      z
        .object({
          id: idField('tk_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b', 'Opaque id; it is no part of the token.'),
          issuedAt: timeField,
          expiresAt: timeField,
          scope: z
            .string()
            .meta({ example: 'invoices', description: 'API keys that it was issued with, space-separated.' }),
          issuedTo: z
            .string()
            .nullable()
            .meta({ example: '192.0.2.7', description: 'The address that it was issued to.' }),
        })
        .meta({ id: 'LiveToken', description: 'A live token, without the token: only its SHA-256 is kept.' }),
    ),
  })
  .meta({ id: 'LiveTokenList', description: 'Every live token of the credential, oldest first: at most ten.' });
