import type { ApiRemoval, ApiState } from '../domain/api.ts';

/** An API of the catalogue as the API shows it, and the version for its ETag. */
export interface ApiView {
  readonly key: string;
  readonly name: string;
  readonly description: string;
  /** Its removal by force, while it is running. */
  readonly removal: ApiRemovalView | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly version: number;
}

/** The progress of a removal. */
export interface ApiRemovalView {
  readonly startedAt: string;
  readonly startedBy: string;
  readonly credentialsTotal: number;
  readonly credentialsLeft: number;
}

export function apiView(state: ApiState): ApiView {
  return {
    key: state.key,
    name: state.name,
    description: state.description,
    removal: state.removal === null ? null : removalView(state.removal),
    createdAt: state.createdAt.toISOString(),
    updatedAt: state.updatedAt.toISOString(),
    version: state.version,
  };
}

function removalView({ startedAt, context, credentialsTotal, credentialsLeft }: ApiRemoval): ApiRemovalView {
  return { startedAt: startedAt.toISOString(), startedBy: context.actor.id, credentialsTotal, credentialsLeft };
}
