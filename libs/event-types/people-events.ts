import { z } from 'zod';
import { member, retired, text, texts } from './event-description.ts';
import { eventType } from './event-type.ts';

const user = { chain: 'platform', subjects: ['user'], subjectId: 'id of the user' } as const;

const username = member(text, 'Name to sign in with.', 'ada');
const roles = member(texts, 'Roles.', ['operation-admin']);
const operationIds = member(texts, 'Operations that an operation-admin manages.', [
  'op_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b',
]);
const rights = z.strictObject({ username, roles, operationIds });
const auditor = { username: 'ada', roles: ['auditor'], operationIds: [] };
const administrator = { ...auditor, roles: ['auditor', 'platform-admin'] };
const sessionId = 'ss_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b';

export class UserCreated extends eventType({
  ...user,
  type: 'user.created.v2',
  what: 'A local user was created. The service creates the first one itself, from its configuration.',
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
  data: rights,
});

export class UserUpdated extends eventType({
  ...user,
  type: 'user.updated.v2',
  what: 'A local user was changed.',
  actors: ['user'],
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
  what: 'A local user was deleted. Events of version 0.1.0 hold the name only.',
  actors: ['user'],
  data: z.strictObject({
    username,
    roles: member(texts.optional(), 'Roles that it had.', ['operation-admin']),
    operationIds: member(texts.optional(), 'Operations that it managed.', ['op_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b']),
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
      z.enum(['signed-out', 'ended', 'ended-by-admin', 'password-changed', 'too-many']),
      'Why: `ended` by the person from another session; `too-many` when one more sign-in went over the limit of 50.',
      'signed-out',
    ),
  }),
}) {}

/** People: their users and their sessions. */
export const peopleEvents = [UserCreated, UserUpdated, UserDeleted, SessionStarted, SessionsEnded] as const;

/** Types that an earlier version of Latchkey wrote. A log may still hold events of them. */
export const retiredPeopleEvents = [userCreatedV1, userUpdatedV1] as const;
