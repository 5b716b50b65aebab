import type { NewUser } from './user.ts';

/** A person who may do everything. */
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
