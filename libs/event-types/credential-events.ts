import { z } from 'zod';
import {
  beforeAndAfter,
  changedTo,
  count,
  endOfSecret,
  firstSecretId,
  instant,
  member,
  reconciled,
  retired,
  revocationOfSecret,
  rotation,
  text,
  texts,
} from './event-description.ts';
import { eventType } from './event-type.ts';

const attributes = {
  name: member(text, 'Name.', 'Nightly invoices'),
  description: member(text, 'Description.', ''),
  owner: member(
    text.nullable().optional(),
    'The responsible person or team; absent in older events.',
    'Billing platform team',
  ),
  contact: member(
    text.nullable().optional(),
    'Email address of the owner; absent in older events.',
    'billing@example.com',
  ),
  labels: member(z.record(z.string(), text).optional(), 'Labels; absent in older events.', { env: 'prod' }),
  apis: member(texts, 'Keys of the APIs that it may call.', ['invoices']),
  allowedIps: member(texts, 'Addresses and ranges that it may be used from; empty for any.', ['192.0.2.0/24']),
  status: member(z.enum(['active', 'disabled']), 'Whether it may be used.', 'active'),
  expiresAt: member(instant.nullable(), 'When it expires.', null),
  tokenTtlSeconds: member(z.number().int(), 'Lifetime of its tokens, in seconds.', 3600),
  tokenLimitPolicy: member(
    z.enum(['reject', 'evict_oldest']),
    'What happens to a request for an eleventh token.',
    'reject',
  ),
};
const clientId = member(
  text,
  'Its client id, which is the actor of the client’s own events.',
  'lk_ci_0a1B2c3D4e5F6g7H8i9J0k1L',
);
const tokenIds = member(texts, 'Ids of the tokens; not the tokens.', ['tk_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b']);

const credential = { chain: 'operation', subjects: ['credential'], subjectId: 'id of the credential' } as const;

export class CredentialCreated extends eventType({
  ...credential,
  type: 'credential.created.v1',
  what: 'A credential was created.',
  actors: ['user', 'service'],
  data: z.strictObject({ clientId, secretId: firstSecretId, ...attributes }),
}) {}

export class CredentialUpdated extends eventType({
  ...credential,
  type: 'credential.updated.v2',
  what: 'A credential was changed. An edit that changes nothing has no event. When an API is deleted by force, each credential that had it has this event.',
  actors: ['user', 'service'],
  data: beforeAndAfter(attributes, { status: 'active' }, { status: 'disabled' }),
}) {}

const credentialUpdatedV1 = retired({
  ...credential,
  type: 'credential.updated.v1',
  what: 'A credential was changed. The previous values are in earlier events.',
  actors: ['user'],
  data: changedTo(attributes, { status: 'disabled' }),
});

export class CredentialSecretRotated extends eventType({
  ...credential,
  type: 'credential.secret-rotated.v2',
  what: 'A credential got a new secret. If the old one was compromised, `token.revoked.v1` names the tokens that ended with it.',
  actors: ['user', 'service'],
  data: rotation,
}) {}

export class CredentialSecretEnded extends eventType({
  ...credential,
  type: 'credential.secret-ended.v1',
  what: 'One of two live secrets of a credential was ended. The tokens stayed live.',
  actors: ['user', 'service'],
  data: endOfSecret,
}) {}

export class CredentialSecretRevoked extends eventType({
  ...credential,
  type: 'credential.secret-revoked.v1',
  what: 'A secret of a credential had leaked and was ended (`POST /v1/leaks`). `token.revoked.v1` names the tokens that ended with it.',
  actors: ['user', 'service'],
  data: revocationOfSecret,
}) {}

const credentialSecretRotatedV1 = retired({
  ...credential,
  type: 'credential.secret-rotated.v1',
  what: 'A credential got a new secret. Any secret older than the previous one ended immediately.',
  actors: ['user'],
  data: z.strictObject({
    secretId: member(text.nullable(), 'Id of the new secret; not the secret.', 'se_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b'),
    overlapSeconds: member(count, 'How long the previous secret stays valid, in seconds.', 3600),
    compromised: member(z.boolean(), 'Whether the old secret and every token ended immediately.', false),
  }),
});

export class CredentialDeleted extends eventType({
  ...credential,
  type: 'credential.deleted.v1',
  followUp: 'token-purge',
  what: 'A credential was deleted. From this event on, its tokens are invalid. `tokens.purged.v1` records when they were deleted from the store.',
  actors: ['user', 'service', 'system'],
  data: z.strictObject({ clientId, name: attributes.name, reconciled }),
}) {}

export class CredentialSecretsReconciled extends eventType({
  ...credential,
  type: 'credential.secrets-reconciled.v1',
  what: '`latchkey reconcile` ended secrets again that a restored backup had brought back.',
  actors: ['system'],
  data: z.strictObject({
    secretIds: member(texts, 'Ids of the secrets; not the secrets.', ['se_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b']),
  }),
}) {}

export class TokenIssued extends eventType({
  ...credential,
  type: 'token.issued.v1',
  what: 'A client got a token.',
  actors: ['client'],
  data: z.strictObject({
    tokenId: member(text, 'Id of the token; not the token.', 'tk_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b'),
    secretId: member(text, 'Id of the secret that the client used.', 'se_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b'),
    scope: member(texts, 'Keys of the APIs that it may call.', ['invoices']),
    expiresAt: member(instant, 'When it expires.', '2026-11-23T10:30:00.000Z'),
    evictedTokenId: member(
      text.optional(),
      'Id of the token that `evict_oldest` ended for it.',
      'tk_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2a',
    ),
  }),
}) {}

export class TokenRevoked extends eventType({
  ...credential,
  type: 'token.revoked.v1',
  what: 'Tokens were revoked: by an administrator, by the client itself, or because they or a secret were compromised. If there was no live token, there is no event.',
  actors: ['user', 'service', 'client', 'system'],
  data: z.strictObject({
    tokenIds,
    count: member(count, 'How many.', 1),
    reason: member(
      z.enum(['revoked', 'compromised', 'reconciled']),
      'The reason. `reconciled`: a restored backup had brought them back after their end.',
      'revoked',
    ),
  }),
}) {}

export class TokensPurged extends eventType({
  ...credential,
  type: 'tokens.purged.v1',
  what: 'The tokens of a deleted credential were deleted from the store. They were invalid since its deletion.',
  actors: ['system'],
  data: z.strictObject({
    count: member(count, 'How many were deleted.', 3),
    causedBy: member(text, 'Id of the `credential.deleted.v1` event.', 'ev_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b'),
  }),
}) {}

export class TokensPruned extends eventType({
  type: 'tokens.pruned.v1',
  what: 'Expired tokens were deleted from the store. One event per batch.',
  chain: 'platform',
  subjects: ['service'],
  subjectId: '`tokens`',
  actors: ['system'],
  data: z.strictObject({ count: member(count, 'How many.', 2000) }),
}) {}

const daysLeft = member(
  z.literal([30, 14, 7, 1]),
  'The threshold: at most this many days are left. After a downtime only the nearest one is written.',
  14,
);

export class CredentialExpiring extends eventType({
  ...credential,
  type: 'credential.expiring.v1',
  what: 'An active credential will expire: 30, 14, 7 and 1 days before, each once. If its expiry moves, the notices start again.',
  actors: ['system'],
  data: z.strictObject({
    name: attributes.name,
    daysLeft,
    expiresAt: member(instant, 'When it expires.', '2026-12-07T10:30:00.000Z'),
  }),
}) {}

export class SecretExpiring extends eventType({
  ...credential,
  type: 'secret.expiring.v1',
  what: 'The current secret of an active credential will end, by its own expiry or by the maximum age of secrets of its operation: 30, 14, 7 and 1 days before, each once. Rotate it.',
  actors: ['system'],
  data: z.strictObject({
    name: attributes.name,
    daysLeft,
    secretId: member(text, 'Id of the secret; not the secret.', 'se_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b'),
    endsAt: member(instant, 'When it ends.', '2026-12-07T10:30:00.000Z'),
  }),
}) {}

export class RotationEndingInUse extends eventType({
  ...credential,
  type: 'rotation.ending-in-use.v1',
  what: 'The old secret of a rotation will end, and a client has used it since the rotation: 30, 14, 7 and 1 days before, each once. Deploy the new secret to that client.',
  actors: ['system'],
  data: z.strictObject({
    name: attributes.name,
    daysLeft,
    secretId: member(text, 'Id of the old secret; not the secret.', 'se_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b'),
    endsAt: member(instant, 'When it ends.', '2026-11-30T10:30:00.000Z'),
    lastUsedAt: member(instant, 'Its last use when the event was written.', '2026-11-23T10:30:00.000Z'),
  }),
}) {}

/** Credentials, and the tokens that are got with them. */
export const credentialEvents = [
  CredentialCreated,
  CredentialUpdated,
  CredentialSecretRotated,
  CredentialSecretEnded,
  CredentialSecretRevoked,
  CredentialDeleted,
  CredentialSecretsReconciled,
  TokenIssued,
  TokenRevoked,
  TokensPurged,
  TokensPruned,
  CredentialExpiring,
  SecretExpiring,
  RotationEndingInUse,
] as const;

/** Types that an earlier version of Latchkey wrote. A log may still hold events of them. */
export const retiredCredentialEvents = [credentialUpdatedV1, credentialSecretRotatedV1] as const;
