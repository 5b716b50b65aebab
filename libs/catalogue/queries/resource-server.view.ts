import { SecretSet } from '#kernel';
import type { SecretView } from '#kernel';
import type { ResourceServerState } from '../domain/resource-server.ts';

/** A resource server as the API shows it, and the version for its ETag. */
export interface ResourceServerView {
  readonly id: string;
  readonly name: string;
  readonly apis: readonly string[];
  readonly requireClientIp: boolean;
  readonly secrets: readonly SecretView[];
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly version: number;
}

/** The only answer that contains the secret. */
export interface ResourceServerWithSecret extends ResourceServerView {
  readonly resourceServerSecret: string;
}

/** @param at omits secrets that have ended by then */
export function resourceServerView(state: ResourceServerState, at: Date): ResourceServerView {
  return {
    id: state.id,
    name: state.name,
    apis: state.apis,
    requireClientIp: state.requireClientIp,
    secrets: new SecretSet(state.secrets, at).views,
    createdAt: state.createdAt.toISOString(),
    updatedAt: state.updatedAt.toISOString(),
    version: state.version,
  };
}
