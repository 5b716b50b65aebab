import { z } from 'zod';
import {
  beforeAndAfter,
  changedTo,
  count,
  endOfSecret,
  firstSecretId,
  instant,
  member,
  retired,
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
    'The person or team that answers for it; absent in older events.',
    'Billing platform team',
  ),
  contact: member(
    text.nullable().optional(),
    'Email address of the owner; absent in older events.',
    'billing@example.com',
  ),
  labels: member(z.record(z.string(), text).optional(), 'Labels; absent in older events.', { env: 'prod' }),
  apis: member(texts, 'Keys of the APIs that it may call.', ['invoices']),
  allowedIps: member(texts, 'Addresses and ranges that it may be used from; none: any.', ['192.0.2.0/24']),
  status: member(z.enum(['active', 'disabled']), 'Whether it may be used.', 'active'),
  expiresAt: member(instant.nullable(), 'When it ends by itself.', null),
  tokenTtlSeconds: member(z.number().int(), 'How long its tokens live, in seconds.', 3600),
  tokenLimitPolicy: member(z.enum(['reject', 'evict_oldest']), 'What the eleventh token does.', 'reject'),
};
const clientId = member(
  text,
  'Its public handle, which is the actor of what the client does.',
  'lk_ci_0a1B2c3D4e5F6g7H8i9J0k1L',
);
const tokenIds = member(texts, 'Ids of the tokens; not the tokens.', ['tk_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b']);

const reconciled = member(
  z.literal(true).optional(),
  'Present when it had been deleted before, and a restored backup had brought it back (`latchkey reconcile`).',
  true,
);

const credential = { chain: 'operation', subjects: ['credential'], subjectId: 'id of the credential' } as const;

export class CredentialCreated extends eventType({
  ...credential,
  type: 'credential.created.v1',
  what: 'A credential was created.',
  actors: ['user'],
  data: z.strictObject({ clientId, secretId: firstSecretId, ...attributes }),
}) {}

export class CredentialUpdated extends eventType({
  ...credential,
  type: 'credential.updated.v2',
  what: 'A credential was changed. An edit that changes nothing has no event. When an API is deleted by force, each credential that had it has this event.',
  actors: ['user'],
  data: beforeAndAfter(attributes, { status: 'active' }, { status: 'disabled' }),
}) {}

const credentialUpdatedV1 = retired({
  ...credential,
  type: 'credential.updated.v1',
  what: 'A credential was changed. The values before are those of the events before.',
  actors: ['user'],
  data: changedTo(attributes, { status: 'disabled' }),
});

export class CredentialSecretRotated extends eventType({
  ...credential,
  type: 'credential.secret-rotated.v2',
  what: 'A credential got a new secret. If it was compromised, `token.revoked.v1` names the tokens that ended with it.',
  actors: ['user'],
  data: rotation,
}) {}

export class CredentialSecretEnded extends eventType({
  ...credential,
  type: 'credential.secret-ended.v1',
  what: 'One of two live secrets of a credential was ended. Its tokens stayed.',
  actors: ['user'],
  data: endOfSecret,
}) {}

const credentialSecretRotatedV1 = retired({
  ...credential,
  type: 'credential.secret-rotated.v1',
  what: 'A credential got a new secret. A secret that was older still than the one before it ended immediately.',
  actors: ['user'],
  data: z.strictObject({
    secretId: member(text.nullable(), 'Id of the new secret; not the secret.', 'se_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b'),
    overlapSeconds: member(count, 'How long the secret before it stays good, in seconds.', 3600),
    compromised: member(z.boolean(), 'Whether the old secret and every token ended at once.', false),
  }),
});

export class CredentialDeleted extends eventType({
  ...credential,
  type: 'credential.deleted.v1',
  followUp: 'token-purge',
  what: 'A credential was deleted. From this event on none of its tokens is good; `tokens.purged.v1` tells when they were cleared from the store.',
  actors: ['user', 'system'],
  data: z.strictObject({ clientId, name: attributes.name, reconciled }),
}) {}

export class CredentialSecretsReconciled extends eventType({
  ...credential,
  type: 'credential.secrets-reconciled.v1',
  what: 'Secrets that had ended before, and that a restored backup had brought back, were ended again by `latchkey reconcile`.',
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
    secretId: member(text, 'Id of the secret that it signed in with.', 'se_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b'),
    scope: member(texts, 'Keys of the APIs that it may call.', ['invoices']),
    expiresAt: member(instant, 'When it ends by itself.', '2026-11-23T10:30:00.000Z'),
    evictedTokenId: member(
      text.optional(),
      'Id of the token that ended for it, by `evict_oldest`.',
      'tk_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2a',
    ),
  }),
}) {}

export class TokenRevoked extends eventType({
  ...credential,
  type: 'token.revoked.v1',
  what: 'Tokens were ended: by an administrator, by the client itself, or because a secret was compromised. Nothing to end is no event.',
  actors: ['user', 'client', 'system'],
  data: z.strictObject({
    tokenIds,
    count: member(count, 'How many.', 1),
    reason: member(
      z.enum(['revoked', 'compromised', 'reconciled']),
      'Why; `reconciled`: they had been ended before, and a restored backup had brought them back.',
      'revoked',
    ),
  }),
}) {}

export class TokensPurged extends eventType({
  ...credential,
  type: 'tokens.purged.v1',
  what: 'The tokens of a deleted credential, which were worthless since its deletion, were cleared from the store.',
  actors: ['system'],
  data: z.strictObject({
    count: member(count, 'How many were still there.', 3),
    causedBy: member(text, 'Id of the `credential.deleted.v1`.', 'ev_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b'),
  }),
}) {}

export class TokensPruned extends eventType({
  type: 'tokens.pruned.v1',
  what: 'Tokens whose time was over were cleared from the store. One event for each batch.',
  chain: 'platform',
  subjects: ['service'],
  subjectId: '`tokens`',
  actors: ['system'],
  data: z.strictObject({ count: member(count, 'How many.', 2000) }),
}) {}

/** Credentials, and the tokens that are got with them. */
export const credentialEvents = [
  CredentialCreated,
  CredentialUpdated,
  CredentialSecretRotated,
  CredentialSecretEnded,
  CredentialDeleted,
  CredentialSecretsReconciled,
  TokenIssued,
  TokenRevoked,
  TokensPurged,
  TokensPruned,
] as const;

/** Types that an earlier version of Latchkey wrote. A log may still hold events of them. */
export const retiredCredentialEvents = [credentialUpdatedV1, credentialSecretRotatedV1] as const;
