import { z } from 'zod';
import { MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH, ROLES } from '#identity';
import { idField, pageOf, timeField } from '../http/fields.ts';
import { pageQuery } from '../http/pages.ts';

const MOST_OPERATIONS = 1_000;

const username = z
  .string()
  .regex(/^[A-Za-z0-9._@-]{1,64}$/, 'A user name has 1 to 64 of A-Z a-z 0-9 . _ @ -')
  .meta({ description: 'Unique without regard to case.', example: 'ada' });

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
      '`auditor` may read everything.',
  });

const operationIds = z
  .array(z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'Give the id of an operation.'))
  .max(MOST_OPERATIONS, `Give at most ${MOST_OPERATIONS} ids.`)
  .meta({
    description:
      'Operations that an `operation-admin` manages; without effect for other roles, and where there is no such operation.',
  });

export const createUserBody = z
  .strictObject({ username, password, roles, operationIds: operationIds.default([]) })
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
  id: idField('us_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b', 'Opaque id.'),
  username: z.string().meta({ example: 'ada' }),
  roles: z.array(z.enum(ROLES)).meta({ example: ['auditor'] }),
  operationIds: z.array(z.string()).meta({ example: [], description: 'Operations that an `operation-admin` manages.' }),
};

export const userAnswer = z
  .object({ ...members, createdAt: timeField, updatedAt: timeField })
  .meta({ id: 'User', description: 'A person who signs in with a password.' });

export const userPage = pageOf(userAnswer).meta({ id: 'UserPage', description: 'A page of users.' });

const none = 'null for people of the OpenID Connect provider, of whom nothing is kept here.';
export const meAnswer = z
  .object({
    ...members,
    id: idField('us_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b', 'Opaque id; what the event log has as `actor.id`.'),
    createdAt: timeField.nullable().meta({ description: `RFC 3339, UTC; ${none}` }),
    updatedAt: timeField.nullable().meta({ description: `RFC 3339, UTC; ${none}` }),
  })
  .meta({ id: 'Me', description: 'Whoever asks.' });
