import type { ApiRemoval, ApiState } from '../domain/api.ts';

/** An API of the catalogue as it is shown, and the version that its ETag is made of. */
export interface ApiView {
  readonly key: string;
  readonly name: string;
  readonly description: string;
  /** Its removal by force, while that is under way. */
  readonly removal: ApiRemovalView | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly version: number;
}

/** How far a removal is. */
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
