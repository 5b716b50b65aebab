import type { SessionView } from './queries/session.view.ts';

/**
 * What a person may do: everything; manage the credentials of named operations; or read everything and prove the log.
 */
export const ROLES = ['platform-admin', 'operation-admin', 'auditor'] as const;
export type Role = (typeof ROLES)[number];

/** Who signed in. */
export interface Principal {
  readonly userId: string;
  readonly username: string;
  readonly roles: readonly Role[];
  /** Operations that an operation-admin manages; without meaning for the other roles. */
  readonly operationIds: readonly string[];
  /** The session by which they are signed in, if it is by one. */
  readonly session?: SessionView;
}

/** Whether the person may see the operation at all. To everyone else it does not exist. */
export function maySeeOperation(principal: Principal, operationId: string): boolean {
  if (principal.roles.includes('platform-admin') || principal.roles.includes('auditor')) return true;
  return principal.roles.includes('operation-admin') && principal.operationIds.includes(operationId);
}

/**
 * Whether one of these roles, of those that the person has, covers the operation: an auditor who also manages
 * operations may see all of them, and still change only their own.
 */
export function coversOperation(principal: Principal, roles: readonly Role[], operationId: string): boolean {
  return maySeeOperation({ ...principal, roles: principal.roles.filter((role) => roles.includes(role)) }, operationId);
}
