import { z } from 'zod';
import { instant, leaked, member, reconciled, retired, text, texts } from './event-description.ts';
import { eventType } from './event-type.ts';

const user = { chain: 'platform', subjects: ['user'], subjectId: 'id of the user' } as const;

const username = member(text, 'Name to sign in with.', 'ada');
const roles = member(texts, 'Roles.', ['operation-admin']);
const operationIds = member(texts, 'Operations that an operation-admin manages.', [
  'op_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b',
]);
const auditedOperationIds = member(texts.nullable(), 'Operations that an auditor sees; null for all.', null);
const status = member(z.enum(['active', 'disabled']), 'A disabled user is kept out.', 'active');
const rightsBefore = z.strictObject({ username, roles, operationIds });
const rights = z.strictObject({
  username,
  kind: member(z.enum(['person', 'service']), 'A person, or a service user with API keys.', 'person'),
  provider: member(z.enum(['local', 'oidc']), 'Whether the OpenID Connect provider vouches for the person.', 'local'),
  oidcSubject: member(
    text.nullable(),
    'Subject that the provider knows the person by; null for others. Events of version 0.1.0 name the person `oidc:<subject>`.',
    null,
  ),
  status,
  roles,
  operationIds,
  auditedOperationIds,
});
/** A member that events of version 0.1.0 do not have. */
function sinceThen<T extends z.ZodType>(schema: T): z.ZodOptional<T> {
  return schema.optional().meta(schema.meta() ?? {});
}

const auditor = {
  username: 'ada',
  kind: 'person',
  provider: 'local',
  oidcSubject: null,
  status: 'active',
  roles: ['auditor'],
  operationIds: [],
  auditedOperationIds: null,
} as const;
const administrator = { ...auditor, roles: ['auditor', 'platform-admin'] };

const sessionId = 'ss_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b';

export class UserCreated extends eventType({
  ...user,
  type: 'user.created.v2',
  what: 'A user was made: by a platform-admin; the first one by the service itself, from its configuration; a person of the OpenID Connect provider by signing in for the first time.',
  actors: ['user', 'system'],
  data: z.strictObject({
    before: member(z.null(), 'Always null: the user did not exist.', null),
    after: member(rights, 'User name and rights.', auditor),
  }),
}) {}

const userCreatedV1 = retired({
  ...user,
  type: 'user.created.v1',
  what: 'A local user was created. The service creates the first one itself, from its configuration.',
  actors: ['user', 'system'],
  data: rightsBefore,
});

export class UserUpdated extends eventType({
  ...user,
  type: 'user.updated.v2',
  what: 'A user was changed: by a platform-admin, by setting a password, by what the OpenID Connect provider says of its person at a sign-in, or by `latchkey reconcile`, which disables again a user whom a restored backup had enabled.',
  actors: ['user', 'system'],
  data: z.strictObject({
    before: member(rights, 'User name and rights before.', auditor),
    after: member(rights, 'User name and rights from this event on.', administrator),
    passwordChanged: member(z.boolean(), 'Whether a password was set. The event does not contain it.', false),
  }),
}) {}

const userUpdatedV1 = retired({
  ...user,
  type: 'user.updated.v1',
  what: 'A local user was changed. This version does not contain the new values: see `user.updated.v2`.',
  actors: ['user'],
  data: z.strictObject({
    changed: member(
      z.array(z.enum(['username', 'password', 'roles', 'operationIds'])),
      'Names of the attributes that were set; a set password counts as changed.',
      ['roles'],
    ),
  }),
});

export class UserDeleted extends eventType({
  ...user,
  type: 'user.deleted.v1',
  what: 'A user was deleted, with its sessions and API keys. Events of version 0.1.0 hold the name only.',
  actors: ['user', 'system'],
  data: z.strictObject({
    username,
    kind: sinceThen(rights.shape.kind),
    provider: sinceThen(rights.shape.provider),
    oidcSubject: sinceThen(rights.shape.oidcSubject),
    status: sinceThen(rights.shape.status),
    roles: sinceThen(roles),
    operationIds: sinceThen(operationIds),
    auditedOperationIds: sinceThen(auditedOperationIds),
    reconciled,
  }),
}) {}

export class SessionStarted extends eventType({
  ...user,
  type: 'session.started.v1',
  what: 'A person signed in to a session. Sign-in with each request, by HTTP Basic or a bearer token, has no event; a refused one is summed up in `sign-in.refused.v1`.',
  actors: ['user'],
  data: z.strictObject({
    sessionId: member(text, 'Id of the session; not its cookie.', sessionId),
    method: member(z.enum(['password', 'oidc']), 'How the person proved who they are.', 'password'),
  }),
}) {}

export class SessionsEnded extends eventType({
  ...user,
  type: 'sessions.ended.v1',
  what: 'Sessions of a person were ended before their time. A session that runs out has no event.',
  actors: ['user', 'system'],
  data: z.strictObject({
    sessionIds: member(texts, 'Ids of the sessions.', [sessionId]),
    reason: member(
      z.enum([
        'signed-out',
        'ended',
        'ended-by-admin',
        'password-changed',
        'disabled',
        'too-many',
        'leaked',
        'reconciled',
      ]),
      'Why: `ended` by the person from another session; `too-many` when one more sign-in went over the limit of 50; `leaked` when its cookie was reported (`POST /v1/leaks`); `reconciled` when a restored backup had brought it back.',
      'signed-out',
    ),
  }),
}) {}

const keyId = member(text, 'Id of the key; not the key.', 'ky_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b');
const keyName = member(text, 'Name.', 'Terraform');

export class ApiKeyCreated extends eventType({
  ...user,
  type: 'api-key.created.v1',
  what: 'A service user got an API key.',
  actors: ['user'],
  data: z.strictObject({
    keyId,
    name: keyName,
    expiresAt: member(instant.nullable(), 'When it stops being good; null for never.', null),
    allowedIps: member(texts, 'Addresses that it may be used from; none means any.', ['192.0.2.0/24']),
  }),
}) {}

export class ApiKeyDeleted extends eventType({
  ...user,
  type: 'api-key.deleted.v1',
  what: 'An API key was deleted: by a platform-admin, because it had expired and another one took its place, or by `latchkey reconcile`.',
  actors: ['user', 'system'],
  data: z.strictObject({ keyId, name: keyName, leaked, reconciled }),
}) {}

/** Who uses the admin API: users, their sessions and API keys. */
export const peopleEvents = [
  UserCreated,
  UserUpdated,
  UserDeleted,
  SessionStarted,
  SessionsEnded,
  ApiKeyCreated,
  ApiKeyDeleted,
] as const;

/** Types that an earlier version of Latchkey wrote. A log may still hold events of them. */
export const retiredPeopleEvents = [userCreatedV1, userUpdatedV1] as const;
