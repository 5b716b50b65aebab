import { z } from 'zod';
import { ROLES } from '#kernel';
import { MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH } from '#passwords';
import { idField, pageOf, timeField } from '../http/fields.ts';
import { pageQuery } from '../http/pages.ts';

const MAX_OPERATIONS = 1_000;

const username = z
  .string()
  .regex(/^[A-Za-z0-9._@-]{1,64}$/, 'A user name has 1 to 64 of A-Z a-z 0-9 . _ @ -')
  .meta({
    description: 'Unique without regard to case, among those who are not of the OpenID Connect provider.',
    example: 'ada',
  });

// what could not be sent by HTTP Basic must not become a password: control characters (RFC 7617 2), half characters
const password = z
  .string()
  .refine((text) => text.isWellFormed() && !/\p{Cc}/u.test(text), 'A password has no control characters.')
  .meta({
    format: 'password',
    minLength: MIN_PASSWORD_LENGTH,
    maxLength: MAX_PASSWORD_LENGTH,
    description:
      'Any characters but control characters; not one that guessers try early, and without the user name in it (`weak-password` says which ' +
      'rule). Kept only as an Argon2id hash, and never answered.',
  });

const roles = z
  .array(z.enum(ROLES, 'A role is platform-admin, operation-admin or auditor.'))
  .min(1, 'Give at least one role.')
  .max(ROLES.length, 'Give each role once.')
  .meta({
    description:
      '`platform-admin` may do everything, `operation-admin` manages the credentials of the operations in `operationIds`, ' +
      '`auditor` may read. A service user cannot be `platform-admin`.',
  });

const idList = z
  .array(z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'Give the id of an operation.'))
  .max(MAX_OPERATIONS, `Give at most ${MAX_OPERATIONS} ids.`);

const operationIds = idList.meta({
  description:
    'Operations that an `operation-admin` manages; without effect for other roles, and where there is no such operation.',
});

const AUDITED =
  'Operations that an `auditor` sees: their events, exports, chain state and checkpoints, and their credentials. null for all, and for the ' +
  'platform’s events.';
const auditedOperationIds = idList.nullable().meta({ description: `${AUDITED} Without effect for other roles.` });

const kind = z.enum(['person', 'service']).meta({
  description: 'A `person` signs in with a password; a `service` user, for automation, with an API key.',
});
const status = z.enum(['active', 'disabled']).meta({
  description: 'A `disabled` user is kept out, by whatever way of signing in; disabling ends all sessions.',
});

export const createUserBody = z
  .strictObject({
    username,
    kind: kind.default('person'),
    password: password.optional(),
    roles,
    operationIds: operationIds.default([]),
    auditedOperationIds: auditedOperationIds.default(null),
  })
  .superRefine(({ kind: made, password: given }, context) => {
    if (made === 'person' && given === undefined) {
      const message = 'A person needs a password. For automation make a user of the kind service.';
      context.addIssue({ code: 'custom', path: ['password'], message, params: { code: 'required' } });
    }
    if (made === 'service' && given !== undefined) {
      const message = 'A service user has no password: leave it out, and create an API key for it.';
      context.addIssue({ code: 'custom', path: ['password'], message, params: { code: 'not-for-service' } });
    }
  })
  .meta({
    id: 'CreateUser',
    // harmless when it is sent as it is: the password has the user name in it, and the role is for no operation
    example: {
      username: 'ada',
      password: 'ada: choose a password of your own',
      roles: ['operation-admin'],
      operationIds: [],
    },
  });
export type CreateUserBody = z.output<typeof createUserBody>;

export const editUserBody = z
  .strictObject({
    username: username.optional(),
    password: password.optional(),
    roles: roles.optional(),
    operationIds: operationIds.optional(),
    auditedOperationIds: auditedOperationIds.optional(),
    status: status.optional(),
  })
  .meta({
    id: 'EditUser',
    description: 'Members that are left out stay as they are; an empty object changes nothing.',
    example: { roles: ['auditor'] },
  });
export type EditUserBody = z.output<typeof editUserBody>;

export const changePasswordBody = z
  .strictObject({
    currentPassword: z.string().meta({ format: 'password', description: 'The one that is good now.' }),
    newPassword: password,
  })
  .meta({
    id: 'ChangePassword',
    example: { currentPassword: 'correct horse battery staple', newPassword: 'quartz violin meadow' },
  });
export type ChangePasswordBody = z.output<typeof changePasswordBody>;

export const listUsersQuery = z.strictObject(pageQuery);
export type ListUsersParameters = z.output<typeof listUsersQuery>;

const members = {
  id: idField('us_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b', 'Opaque id; what the event log has as `actor.id`.'),
  username: z.string().meta({ example: 'ada' }),
  kind,
  provider: z.enum(['local', 'oidc']).meta({
    description:
      '`oidc` for people of the OpenID Connect provider, who appear with their first sign-in and have no password here.',
  }),
  status,
  roles: z.array(z.enum(ROLES)).meta({ example: ['auditor'] }),
  operationIds: z.array(z.string()).meta({ example: [], description: 'Operations that an `operation-admin` manages.' }),
  auditedOperationIds: z.array(z.string()).nullable().meta({ example: null, description: AUDITED }),
  createdAt: timeField,
  updatedAt: timeField,
  lastSignInAt: timeField
    .nullable()
    .meta({ description: 'When the user last signed in, to the minute; null for never.' }),
};

export const userAnswer = z
  .object(members)
  .meta({ id: 'User', description: 'A person, or a service user, who may use the admin API.' });

export const userPage = pageOf(userAnswer).meta({ id: 'UserPage', description: 'A page of users.' });

export const meAnswer = z.object(members).meta({ id: 'Me', description: 'Whoever asks.' });
