import type { Principal } from '../principal.ts';
import type { UserState } from '../domain/user.ts';

/** A user as the API shows it, and the version that its ETag is made of. Nothing of the password. */
export interface UserView {
  readonly id: string;
  readonly username: string;
  readonly roles: readonly string[];
  readonly operationIds: readonly string[];
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly version: number;
}

export function userView(state: UserState): UserView {
  return {
    id: state.id,
    username: state.username,
    roles: state.roles,
    operationIds: state.operationIds,
    createdAt: state.createdAt.toISOString(),
    updatedAt: state.updatedAt.toISOString(),
    version: state.version,
  };
}

/** Whoever asks. People of the OpenID Connect provider have no record here, and so no times. */
export interface MeView {
  readonly id: string;
  readonly username: string;
  readonly roles: readonly string[];
  readonly operationIds: readonly string[];
  readonly createdAt: string | null;
  readonly updatedAt: string | null;
}

export function meView(principal: Principal, state: UserState | undefined): MeView {
  return {
    id: principal.userId,
    username: principal.username,
    roles: principal.roles,
    operationIds: principal.operationIds,
    createdAt: state?.createdAt.toISOString() ?? null,
    updatedAt: state?.updatedAt.toISOString() ?? null,
  };
}
