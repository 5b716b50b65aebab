import { PLATFORM_CHAIN } from '#events';
import type { Principal } from '#identity';
import { DomainError } from '#kernel';

/**
 * The chains whose events a person may see: platform-admins and auditors all, an operation-admin those of their operations.
 *
 * @param operationId the one that was asked for, if any
 * @returns names of chains; undefined for all
 * @throws DomainError `not-found` for an operation that is no concern of theirs, as for an unknown one
 */
export function visibleChains(principal: Principal | undefined, operationId?: string): string[] | undefined {
  if (principal?.roles.some((role) => role !== 'operation-admin') === true) return undefined;
  // what an identity provider calls an operation does not make it one
  const own = (principal?.operationIds ?? []).filter((id) => id !== PLATFORM_CHAIN);
  if (operationId !== undefined && !own.includes(operationId)) throw DomainError.notFound('operation');
  return own;
}
