import { PLATFORM_CHAIN, chainName } from '#chain';
import type { ChainName } from '#chain';
import { visibleOperations } from '#identity';
import type { Principal } from '#identity';
import { DomainError } from '#kernel';

/**
 * The chains whose events a person may see: platform-admins all, an operation-admin those of their operations, an
 * auditor all or those of the operations that they audit.
 *
 * @param operationId the requested operation, if any
 * @returns names of chains; undefined for all
 * @throws DomainError `not-found` for an operation that the person may not see, as for an unknown one
 */
export function visibleChains(principal: Principal | undefined, operationId?: string): ChainName[] | undefined {
  const visible = principal === undefined ? [] : visibleOperations(principal);
  if (visible === undefined) return undefined;
  // what an identity provider calls an operation does not make it one
  const own = visible.filter((id) => id !== PLATFORM_CHAIN);
  if (operationId !== undefined && !own.includes(operationId)) throw DomainError.notFound('operation');
  return own.map(chainName);
}

/** The requested chain, if the request names one. */
export function requestedChain(operationId: string | undefined): ChainName | undefined {
  return operationId === undefined ? undefined : chainName(operationId);
}
