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
  const seesAll = principal?.roles.some((role) => role !== 'operation-admin') ?? false;
  if (seesAll) return operationId === undefined ? undefined : [operationId];
  // what an identity provider calls an operation does not make it one
  const own = (principal?.operationIds ?? []).filter((id) => id !== PLATFORM_CHAIN);
  if (operationId === undefined) return own;
  if (!own.includes(operationId)) throw DomainError.notFound('operation');
  return [operationId];
}
