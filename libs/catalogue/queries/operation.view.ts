import type { OperationPolicy } from '#kernel';
import { CREDENTIAL_LIMIT } from '../domain/operation.ts';
import type { OperationState } from '../domain/operation.ts';

/** An operation as the API shows it, and the version for its ETag. */
export interface OperationView {
  readonly id: string;
  readonly name: string;
  readonly status: 'active' | 'suspended';
  readonly requireAllowedIps: boolean;
  readonly policy: OperationPolicy;
  readonly credentialLimit: number;
  readonly credentialCount: number;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly version: number;
}

export function operationView(state: OperationState): OperationView {
  return {
    id: state.id,
    name: state.name,
    status: state.status,
    requireAllowedIps: state.requireAllowedIps,
    policy: state.policy,
    credentialLimit: CREDENTIAL_LIMIT,
    credentialCount: state.credentialCount,
    createdAt: state.createdAt.toISOString(),
    updatedAt: state.updatedAt.toISOString(),
    version: state.version,
  };
}

/** The APIs that credentials of an operation may be granted, and the version for its ETag. */
export type OperationApisView = { readonly version: number } & (
  { readonly mode: 'all' } | { readonly mode: 'listed'; readonly apis: readonly string[] }
);

export function operationApisView({ entitledApis, version }: OperationState): OperationApisView {
  return entitledApis === null ? { mode: 'all', version } : { mode: 'listed', apis: entitledApis, version };
}
