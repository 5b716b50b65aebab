import { PLATFORM_CHAIN } from '#events';
import type { Principal } from '#identity';
import { DomainError } from '#kernel';

/**
 * The chains whose events a person may see: all for platform-admins and auditors, those of their operations for an
 * operation-admin.
 *
 * @param operationId the requested operation, if any
 * @returns names of chains; undefined for all
 * @throws DomainError `not-found` for an operation that the person may not see, as for an unknown one
 */
export function visibleChains(principal: Principal | undefined, operationId?: string): string[] | undefined {
  if (principal?.roles.some((role) => role !== 'operation-admin') === true) return undefined;
  // an identity provider could list the platform chain as an operation
  const own = (principal?.operationIds ?? []).filter((id) => id !== PLATFORM_CHAIN);
  if (operationId !== undefined && !own.includes(operationId)) throw DomainError.notFound('operation');
  return own;
}
