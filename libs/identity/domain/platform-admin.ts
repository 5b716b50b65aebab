import type { NewUser } from './user.ts';

/** A new local user with the role platform-admin. */
export function platformAdmin(username: string, passwordHash: string): NewUser {
  return {
    username,
    passwordHash,
    kind: 'person',
    roles: ['platform-admin'],
    operationIds: [],
    auditedOperationIds: null,
  };
}
