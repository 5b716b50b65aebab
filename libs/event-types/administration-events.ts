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

const name = member(text, 'Name.', 'Billing');
const description = member(text, 'Description.', '');
const apis = member(texts, 'Keys of the APIs whose tokens it may introspect.', ['invoices']);
const requireClientIp = member(z.boolean(), 'Whether it must send the caller’s address.', true);

const api = { chain: 'platform', subjects: ['api'], subjectId: 'key of the API', actors: ['user'] } as const;
const server = {
  chain: 'platform',
  subjects: ['resource-server'],
  subjectId: 'id of the resource server',
  actors: ['user'],
} as const;

export class ApiCreated extends eventType({
  ...api,
  type: 'api.created.v1',
  what: 'An API was added to the catalogue.',
  data: z.strictObject({ name, description }),
}) {}

export class ApiUpdated extends eventType({
  ...api,
  type: 'api.updated.v2',
  what: 'An API was changed.',
  data: beforeAndAfter({ name, description }, { description: '' }, { description: 'Invoices of all kinds' }),
}) {}

const apiUpdatedV1 = retired({
  ...api,
  type: 'api.updated.v1',
  what: 'An API was changed.',
  data: changedTo({ name, description }, { description: 'Invoices of all kinds' }),
});

export class ApiRemovalStarted extends eventType({
  ...api,
  type: 'api.removal-started.v1',
  what: 'A forced removal began. From this event on, the API cannot be granted. `api.deleted.v1` records its end.',
  data: z.strictObject({ name, credentials: member(count, 'How many credentials could call it then.', 1) }),
}) {}

export class ApiDeleted extends eventType({
  ...api,
  type: 'api.deleted.v1',
  what: 'An API was deleted from the catalogue. A forced deletion follows an `api.removal-started.v1`. Each credential that had the API then has a `credential.updated.v2`, and each resource server a `resource-server.updated.v2`.',
  data: z.strictObject({ name }),
}) {}

export class ResourceServerCreated extends eventType({
  ...server,
  type: 'resource-server.created.v1',
  what: 'A resource server was registered.',
  data: z.strictObject({ secretId: firstSecretId, name, apis, requireClientIp }),
}) {}

export class ResourceServerUpdated extends eventType({
  ...server,
  type: 'resource-server.updated.v2',
  what: 'A resource server was changed.',
  data: beforeAndAfter({ name, apis, requireClientIp }, { apis: ['invoices'] }, { apis: ['invoices', 'orders'] }),
}) {}

const resourceServerUpdatedV1 = retired({
  ...server,
  type: 'resource-server.updated.v1',
  what: 'A resource server was changed.',
  data: changedTo({ name, apis, requireClientIp }, { apis: ['invoices', 'orders'] }),
});

export class ResourceServerSecretRotated extends eventType({
  ...server,
  type: 'resource-server.secret-rotated.v2',
  what: 'A resource server got a new secret.',
  data: rotation,
}) {}

export class ResourceServerSecretEnded extends eventType({
  ...server,
  type: 'resource-server.secret-ended.v1',
  what: 'One of two live secrets of a resource server was ended.',
  data: endOfSecret,
}) {}

export class ResourceServerSecretRevoked extends eventType({
  ...server,
  type: 'resource-server.secret-revoked.v1',
  what: 'A secret of a resource server had leaked and was ended (`POST /v1/leaks`).',
  data: revocationOfSecret,
}) {}

const resourceServerSecretRotatedV1 = retired({
  ...server,
  type: 'resource-server.secret-rotated.v1',
  what: 'A resource server got a new secret.',
  data: z.strictObject({
    secretId: member(text.nullable(), 'Id of the new secret; not the secret.', 'se_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b'),
    previousSecretId: member(text.nullable(), 'Id of the previous secret, if it is still valid.', null),
    previousEndsAt: member(instant.nullable(), 'When the previous secret ends.', null),
    compromised: member(z.boolean(), 'Whether every older secret ended immediately.', true),
  }),
});

export class ResourceServerDeleted extends eventType({
  ...server,
  type: 'resource-server.deleted.v1',
  what: 'A resource server was deleted.',
  actors: ['user', 'system'],
  data: z.strictObject({ name, reconciled }),
}) {}

export class ResourceServerSecretsReconciled extends eventType({
  ...server,
  type: 'resource-server.secrets-reconciled.v1',
  what: '`latchkey reconcile` ended secrets again that a restored backup had brought back.',
  actors: ['system'],
  data: z.strictObject({
    secretIds: member(texts, 'Ids of the secrets; not the secrets.', ['se_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b']),
  }),
}) {}

/** Operations, the catalogue and resource servers. */
export const administrationEvents = [
  ApiCreated,
  ApiUpdated,
  ApiRemovalStarted,
  ApiDeleted,
  ResourceServerCreated,
  ResourceServerUpdated,
  ResourceServerSecretRotated,
  ResourceServerSecretEnded,
  ResourceServerSecretRevoked,
  ResourceServerDeleted,
  ResourceServerSecretsReconciled,
] as const;

/** Types that an earlier version of Latchkey wrote. A log may still hold events of them. */
export const retiredAdministrationEvents = [
  apiUpdatedV1,
  resourceServerUpdatedV1,
  resourceServerSecretRotatedV1,
] as const;
