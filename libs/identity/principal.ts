import type { Role } from '#kernel';
import type { UserKind } from './domain/user.ts';
import type { SessionView } from './queries/session.view.ts';

/** Who signed in. */
export interface Principal {
  readonly userId: string;
  readonly username: string;
  readonly kind: UserKind;
  readonly roles: readonly Role[];
  /** Operations that an operation-admin manages; without meaning for the other roles. */
  readonly operationIds: readonly string[];
  /** Operations that an auditor sees, null for all; without meaning for the other roles. */
  readonly auditedOperationIds: readonly string[] | null;
  /** The session by which they are signed in, if it is by one. */
  readonly session?: SessionView;
}

/** The operations that the principal may see; undefined for all, and for what belongs to no operation. */
export function visibleOperations(principal: Principal): readonly string[] | undefined {
  const { roles, operationIds, auditedOperationIds } = principal;
  if (roles.includes('platform-admin')) return undefined;
  const managed = roles.includes('operation-admin') ? operationIds : [];
  if (!roles.includes('auditor')) return managed;
  return auditedOperationIds === null ? undefined : [...new Set([...managed, ...auditedOperationIds])];
}

/** Whether the principal may see the operation at all. To everyone else it does not exist. */
export function maySeeOperation(principal: Principal, operationId: string): boolean {
  return visibleOperations(principal)?.includes(operationId) ?? true;
}

/**
 * Whether one of these roles, of those that the principal has, covers the operation: an auditor who also manages
 * operations may see all of them, and still change only their own.
 */
export function coversOperation(principal: Principal, roles: readonly Role[], operationId: string): boolean {
  return maySeeOperation({ ...principal, roles: principal.roles.filter((role) => roles.includes(role)) }, operationId);
}
