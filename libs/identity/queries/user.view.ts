import type { UserKind, UserState, UserStatus } from '../domain/user.ts';
import type { Principal } from '../principal.ts';

/** A user as the API shows it, without anything of the password. */
export interface MeView {
  readonly id: string;
  readonly username: string;
  readonly kind: UserKind;
  readonly provider: 'local' | 'oidc';
  readonly status: UserStatus;
  readonly roles: readonly string[];
  readonly operationIds: readonly string[];
  readonly auditedOperationIds: readonly string[] | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly lastSignInAt: string | null;
}

/** A user with the version for its ETag. */
export interface UserView extends MeView {
  readonly version: number;
}

export function userView(state: UserState): UserView {
  return {
    id: state.id,
    username: state.username,
    kind: state.kind,
    provider: state.oidc === null ? 'local' : 'oidc',
    status: state.status,
    roles: state.roles,
    operationIds: state.operationIds,
    auditedOperationIds: state.auditedOperationIds,
    createdAt: state.createdAt.toISOString(),
    updatedAt: state.updatedAt.toISOString(),
    lastSignInAt: state.lastSignInAt?.toISOString() ?? null,
    version: state.version,
  };
}

/** The caller, with the rights of this call. Those of a bearer token may differ from those of the last sign-in. */
export function meView({ username, roles, operationIds, auditedOperationIds }: Principal, state: UserState): MeView {
  const { version: _version, ...view } = userView({ ...state, username, roles, operationIds, auditedOperationIds });
  return view;
}
