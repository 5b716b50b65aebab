import type { Role } from '#kernel';
import type { UserKind } from './domain/user.ts';
import type { SessionView } from './queries/session.view.ts';

/** A signed-in user. */
export interface Principal {
  readonly userId: string;
  readonly username: string;
  readonly kind: UserKind;
  readonly roles: readonly Role[];
  /** Operations that an operation-admin manages; no meaning for other roles. */
  readonly operationIds: readonly string[];
  /** Operations that an auditor sees, null for all; no meaning for other roles. */
  readonly auditedOperationIds: readonly string[] | null;
  /** The session, if they are signed in by one. */
  readonly session?: SessionView;
}

/** The operations that the principal may see; undefined for all, including the platform. */
export function visibleOperations(principal: Principal): readonly string[] | undefined {
  const { roles, operationIds, auditedOperationIds } = principal;
  if (roles.includes('platform-admin')) return undefined;
  const managed = roles.includes('operation-admin') ? operationIds : [];
  if (!roles.includes('auditor')) return managed;
  return auditedOperationIds === null ? undefined : [...new Set([...managed, ...auditedOperationIds])];
}

/** Whether the principal may see the operation. For everyone else it does not exist. */
export function maySeeOperation(principal: Principal, operationId: string): boolean {
  return visibleOperations(principal)?.includes(operationId) ?? true;
}

/**
 * Whether the principal has one of these roles for the operation. An auditor who also manages operations may see all of
 * them, but change only their own.
 */
export function coversOperation(principal: Principal, roles: readonly Role[], operationId: string): boolean {
  return maySeeOperation({ ...principal, roles: principal.roles.filter((role) => roles.includes(role)) }, operationId);
}
