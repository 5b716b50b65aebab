/** What a person may do: everything; manage the credentials of named operations; or read everything and prove the log. */
export type Role = 'platform-admin' | 'operation-admin' | 'auditor';

/** Who signed in. */
export interface Principal {
  readonly userId: string;
  readonly username: string;
  readonly roles: readonly Role[];
  /** Operations that an operation-admin manages; without meaning for the other roles. */
  readonly operationIds: readonly string[];
}

/** Whether the person may see the operation at all. To everyone else it does not exist. */
export function maySeeOperation(principal: Principal, operationId: string): boolean {
  if (principal.roles.includes('platform-admin') || principal.roles.includes('auditor')) return true;
  return principal.roles.includes('operation-admin') && principal.operationIds.includes(operationId);
}
