import { CREDENTIAL_LIMIT } from '../domain/operation.ts';
import type { OperationState } from '../domain/operation.ts';

/** An operation as the API shows it, and the version that its ETag is made of. */
export interface OperationView {
  readonly id: string;
  readonly name: string;
  readonly requireAllowedIps: boolean;
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
    requireAllowedIps: state.requireAllowedIps,
    credentialLimit: CREDENTIAL_LIMIT,
    credentialCount: state.credentialCount,
    createdAt: state.createdAt.toISOString(),
    updatedAt: state.updatedAt.toISOString(),
    version: state.version,
  };
}
