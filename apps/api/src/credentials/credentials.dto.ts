import { z } from 'zod';
import { allowedIpsField, expiresAtField } from '../http/access-fields.ts';
import { descriptionField, idField, nameField, nameFilter, pageOf, timeField } from '../http/fields.ts';
import { pageQuery } from '../http/pages.ts';
import {
  replayNotice,
  rotationMembers,
  secretSchema,
  shownSecret,
  unrepeatedSecret,
  withSecret,
} from '../http/secret-fields.ts';
import { contactField, labelsField, ownerField } from './ownership-fields.ts';

/** Most APIs that one credential may be given. */
const MAX_APIS = 500;

export const apiKey = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'An API key has 1 to 64 of a-z 0-9 . _ - and begins with a letter or digit.');

export const apiKeys = z
  .array(apiKey)
  .max(MAX_APIS, `Give at most ${MAX_APIS} API keys.`)
  .meta({ description: `Keys of APIs of the catalogue, at most ${MAX_APIS}. Order and repetition do not matter.` });

const allowedIps = allowedIpsField.meta({
  description:
    'Addresses and CIDR ranges, IPv4 or IPv6, from which the credential may get and use tokens; at most 100. Strictly ' +
    'written: four plain decimal octets, no host bits set in a range, no zone, no port. Answers hold the canonical form. ' +
    'An empty list means any address. Ranges are judged together: halves that hold every address are refused.',
});

const expiresAt = expiresAtField.meta({
  description: 'When the credential stops being good, RFC 3339 with an offset; null for never. In the future.',
});

const tokenTtlSeconds = z
  .int()
  .min(60)
  .max(3600)
  .meta({ description: 'How long a token lives, in seconds, 60 to 3600.' });

const tokenLimitPolicy = z.enum(['reject', 'evict_oldest']).meta({
  description:
    'What becomes of a request for an 11th live token: `reject` answers 429 until one expires, `evict_oldest` ends the oldest.',
});

export const status = z.enum(['active', 'disabled']).meta({
  description: 'While it is `disabled` the credential gets no token, and none of its tokens is good.',
});

export const createCredentialBody = z
  .strictObject({
    name: nameField,
    description: descriptionField.default(''),
    owner: ownerField.default(null),
    contact: contactField.default(null),
    labels: labelsField.default({}),
    apis: apiKeys.default([]),
    allowedIps: allowedIps.default([]),
    expiresAt: expiresAt.default(null),
    tokenTtlSeconds: tokenTtlSeconds.default(3600),
    tokenLimitPolicy: tokenLimitPolicy.default('reject'),
  })
  .meta({
    id: 'CreateCredential',
    example: {
      name: 'Invoice robot',
      description: 'Sends the invoices at night.',
      owner: 'Billing platform team',
      contact: 'billing@example.com',
      labels: { env: 'prod' },
      apis: ['invoices'],
      allowedIps: [],
      expiresAt: null,
      tokenTtlSeconds: 3600,
      tokenLimitPolicy: 'reject',
    },
  });
export type CreateCredentialBody = z.output<typeof createCredentialBody>;

export const editCredentialBody = z
  .strictObject({
    name: nameField.optional(),
    description: descriptionField.optional(),
    owner: ownerField.optional(),
    contact: contactField.optional(),
    labels: labelsField.optional(),
    apis: apiKeys.optional(),
    allowedIps: allowedIps.optional(),
    status: status.optional(),
    expiresAt: expiresAt.optional(),
    tokenTtlSeconds: tokenTtlSeconds.optional(),
    tokenLimitPolicy: tokenLimitPolicy.optional(),
  })
  .meta({
    id: 'EditCredential',
    description: 'Members that are left out stay as they are; an empty object changes nothing.',
    example: { description: 'Sends the invoices, day and night.', tokenTtlSeconds: 900 },
  });
export type EditCredentialBody = z.output<typeof editCredentialBody>;

export const rotateSecretBody = z
  .strictObject(rotationMembers('every older secret and every token of the credential'))
  .prefault({})
  .meta({ id: 'RotateSecret', example: { overlapSeconds: 3600 } });
export type RotateSecretBody = z.output<typeof rotateSecretBody>;

export const listCredentialsQuery = z.strictObject({
  ...pageQuery,
  name: nameFilter,
  status: status.optional().meta({ description: 'Only those of this status.' }),
  api: apiKey.optional().meta({ description: 'Only those that may call the API with this key.' }),
});
export type ListCredentialsParameters = z.output<typeof listCredentialsQuery>;

/** The path of one credential. Any text is an id that may not exist. */
export interface CredentialPath {
  readonly operationId: string;
  readonly credentialId: string;
}

/** The path of one secret of a credential. */
export interface SecretPath extends CredentialPath {
  readonly secretId: string;
}

const secretAnswer = secretSchema('Secret');

const credentialMembers = {
  id: idField('cr_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b', 'Opaque id.'),
  operationId: idField('op_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b', 'Id of the operation that holds it.'),
  name: z.string().meta({ example: 'Invoice robot' }),
  description: z.string().meta({ example: 'Sends the invoices at night.' }),
  owner: z.string().nullable().meta({ example: 'Billing platform team', description: 'Who answers for it.' }),
  contact: z.string().nullable().meta({ example: 'billing@example.com', description: 'Email address of the owner.' }),
  labels: z
    .record(z.string(), z.string())
    .meta({ example: { env: 'prod' }, description: 'Labels of your own, for finding it.' }),
  clientId: z.string().meta({
    example: 'lk_ci_0123456789abcdefghijklmn',
    description: 'What the client signs in with, beside a secret.',
  }),
  apis: z.array(z.string()).meta({ example: ['invoices'], description: 'Keys of the APIs that it may call, sorted.' }),
  allowedIps: z
    .array(z.string())
    .meta({ example: ['127.0.0.0/8', '2001:db8::/32'], description: 'Canonical addresses and ranges; empty for any.' }),
  unrestrictedIps: z.boolean().meta({ example: false, description: 'True while `allowedIps` is empty.' }),
  status,
  expiresAt: timeField.nullable().meta({ description: 'When the credential stops being good; null for never.' }),
  tokenTtlSeconds: z.int().meta({ example: 3600, description: 'How long a token lives, in seconds.' }),
  tokenLimitPolicy,
  secrets: z.array(secretAnswer).max(2).meta({ description: 'Its live secrets, at most two, the current one first.' }),
  liveTokens: z.int().meta({ example: 3, description: 'How many of its ten tokens are live.' }),
  lastUsedAt: timeField.nullable().meta({ description: 'When it last got a token, to the minute; null for never.' }),
  createdAt: timeField,
  createdBy: idField('us_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b', 'Id of the person who made it.'),
  updatedAt: timeField,
  updatedBy: idField('us_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b', 'Id of the person who changed it last.'),
};

export const credentialAnswer = z
  .object(credentialMembers)
  .meta({ id: 'Credential', description: 'A Client Credentials object: who a machine is and what it may do.' });

export const credentialWithSecret = z
  .object(withSecret<z.ZodType>(credentialMembers, 'clientSecret', shownSecret('lk_cs_')))
  .meta({ id: 'CredentialWithSecret', description: 'A credential and, this once, its secret.' });

export const credentialReplay = z
  .object({ ...withSecret<z.ZodType>(credentialMembers, 'clientSecret', unrepeatedSecret), notice: replayNotice })
  .meta({ id: 'CredentialReplay', description: 'What a repeated request with the same Idempotency-Key gets.' });

export const rotatedCredential = z.union([credentialWithSecret, credentialReplay]).meta({
  id: 'RotatedCredential',
  description: 'The credential with its new secret, or what a repeated request with the same Idempotency-Key gets.',
});

export const credentialPage = pageOf(credentialAnswer).meta({
  id: 'CredentialPage',
  description: 'A page of credentials.',
});
