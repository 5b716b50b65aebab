import type { ApiState } from '../domain/api.ts';

/** An API of the catalogue as it is shown, and the version that its ETag is made of. */
export interface ApiView {
  readonly key: string;
  readonly name: string;
  readonly description: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly version: number;
}

export function apiView(state: ApiState): ApiView {
  return {
    key: state.key,
    name: state.name,
    description: state.description,
    createdAt: state.createdAt.toISOString(),
    updatedAt: state.updatedAt.toISOString(),
    version: state.version,
  };
}
