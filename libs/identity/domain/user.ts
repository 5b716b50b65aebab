import { UserCreated, UserDeleted, UserUpdated } from '#event-types';
import { Aggregate, DomainError, differences, newId } from '#kernel';
import type { FieldFault } from '#kernel';

export type UserKind = 'person' | 'service';
export type UserStatus = 'active' | 'disabled';

/**
 * The identity of a person at the company's OpenID Connect provider. A subject is unique for its issuer (OpenID Connect
 * Core 1.0, 2).
 */
export interface OidcIdentity {
  readonly issuer: string;
  readonly subject: string;
}

/** The rights of a user. */
export interface UserRights {
  readonly roles: readonly string[];
  /** Operations that an operation-admin manages. */
  readonly operationIds: readonly string[];
  /** Operations whose events an auditor sees; null for all. */
  readonly auditedOperationIds: readonly string[] | null;
}

/** The state of a user. `version` is its ETag. Only the Argon2id hash of the password is stored. */
export interface UserState extends UserRights {
  readonly id: string;
  readonly kind: UserKind;
  /** Null for local users. */
  readonly oidc: OidcIdentity | null;
  readonly username: string;
  /** Null for users who do not sign in with a password: service users, and people of the OpenID Connect provider. */
  readonly passwordHash: string | null;
  readonly status: UserStatus;
  /** When the claims were issued that were applied last; null for other users. */
  readonly claimsFrom: Date | null;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** When the user last signed in; stored without a new version. */
  readonly lastSignInAt: Date | null;
}

/** The attributes of a new user. */
export interface NewUser extends UserRights {
  readonly kind: UserKind;
  readonly username: string;
  readonly passwordHash: string | null;
}

type ProviderOrigin = Pick<UserState, 'id' | 'oidc' | 'claimsFrom'>;
/** The attributes of a new person of the OpenID Connect provider. */
type ProviderPerson = Pick<UserState, 'username'> & UserRights & ProviderOrigin;

export type UserChanges = {
  readonly [Member in keyof UserRights | 'username' | 'passwordHash' | 'status']?: UserState[Member] | undefined;
};

const PLATFORM_ADMIN = 'platform-admin';
/** Attributes that the OpenID Connect provider defines. */
const FROM_PROVIDER = ['username', 'roles', 'operationIds'] as const;

/** The form in which user names are compared. They are ASCII. */
export function usernameKey(username: string): string {
  return username.toLowerCase();
}

/**
 * A user of the admin API. Its events belong to the platform, and never contain anything of the password.
 */
export class User extends Aggregate {
  constructor(private current: UserState) {
    super();
  }

  /** @throws DomainError `validation` for a role that a service user cannot have */
  static create(user: NewUser, at: Date): User {
    return User.made({ ...user, id: User.newId(), oidc: null, claimsFrom: null }, at);
  }

  /** Creates a person of the OpenID Connect provider, at the first sign-in. */
  static adopt(person: ProviderPerson, at: Date): User {
    return User.made({ ...person, kind: 'person', passwordHash: null }, at);
  }

  /** An id for a user, for callers that need it before the user exists. */
  static newId(): string {
    return newId('us');
  }

  private static made(user: NewUser & ProviderOrigin, at: Date): User {
    const { id, username, kind, passwordHash, oidc, claimsFrom } = user;
    checkRoles(kind, user.roles);
    const made = new User({
      ...{ id, kind, oidc, username, passwordHash, status: 'active', ...rightsOf(user), claimsFrom },
      ...{ version: 1, createdAt: at, updatedAt: at, lastSignInAt: null },
    });
    made.record(new UserCreated(made.target, { before: null, after: made.told }));
    return made;
  }

  get state(): UserState {
    return this.current;
  }

  get isEnabledPlatformAdmin(): boolean {
    return this.state.status === 'active' && this.state.roles.includes(PLATFORM_ADMIN);
  }

  /**
   * Changes the given attributes. The event contains the rights before and after. A password always counts as changed,
   * because hashes cannot be compared. An edit that changes nothing emits no event.
   *
   * @returns whether anything changed
   * @throws DomainError `managed-by-provider`, `no-local-password`, `validation`
   */
  edit(changes: UserChanges, at: Date): boolean {
    const { kind, oidc, passwordHash } = this.state;
    if (changes.passwordHash !== undefined && passwordHash === null) throw noLocalPassword();
    if (changes.roles !== undefined) checkRoles(kind, changes.roles);
    if (oidc !== null) this.checkProvider(changes);
    return this.change(changes, at);
  }

  /** Applies the current claims of the OpenID Connect provider. @returns whether anything changed */
  follow(claims: UserChanges, claimsFrom: Date, at: Date): boolean {
    this.current = { ...this.current, claimsFrom };
    return this.change(claims, at);
  }

  /** @param options `reconciled`: it was deleted before, and a restored backup revived it */
  delete({ reconciled = false } = {}): void {
    this.record(new UserDeleted(this.target, { ...this.told, ...(reconciled ? { reconciled } : {}) }));
  }

  private change(changes: UserChanges, at: Date): boolean {
    const before = this.told;
    const given = Object.fromEntries(
      Object.entries(changes).filter((entry: [string, unknown]) => entry[1] !== undefined),
    );
    const next: UserState = { ...this.state, ...given };
    const changed = { ...next, ...rightsOf(next), version: this.state.version + 1, updatedAt: at };
    const passwordChanged = changes.passwordHash !== undefined;
    if (!passwordChanged && differences(before, described(changed)) === undefined) return false;
    this.current = changed;
    this.record(new UserUpdated(this.target, { before, after: this.told, passwordChanged }));
    return true;
  }

  private checkProvider(changes: UserChanges): void {
    const wanted = { ...this.state, ...changes };
    const errors: FieldFault[] = FROM_PROVIDER.filter(
      (member) => changes[member] !== undefined && String(wanted[member]) !== String(this.state[member]),
    ).map((member) => ({
      pointer: `/${member}`,
      code: 'managed-by-provider',
      message: 'Omit it, and change it at the OpenID Connect provider.',
    }));
    if (errors.length === 0) return;
    throw new DomainError(
      'managed-by-provider',
      'The OpenID Connect provider defines this for its people. Change it there; it applies from their next sign-in.',
      { errors },
    );
  }

  private get told(): ReturnType<typeof described> {
    return described(this.state);
  }

  private get target(): { readonly id: string } {
    return { id: this.state.id };
  }
}

/** The error for a user without a local password. */
export function noLocalPassword(): DomainError {
  return new DomainError(
    'no-local-password',
    'Only local people have a password here. People of the OpenID Connect provider change theirs there; service users have API keys.',
  );
}

/** The parts of the state that events may contain. */
function described({ username, kind, oidc, status, ...rights }: UserState) {
  const { roles, operationIds, auditedOperationIds } = rightsOf(rights);
  return {
    ...{ username, kind, provider: oidc === null ? ('local' as const) : ('oidc' as const), status },
    ...{ roles, operationIds, auditedOperationIds, oidcSubject: oidc?.subject ?? null },
  };
}

function rightsOf({ roles, operationIds, auditedOperationIds }: UserRights): {
  roles: string[];
  operationIds: string[];
  auditedOperationIds: string[] | null;
} {
  return {
    roles: asSet(roles),
    operationIds: asSet(operationIds),
    auditedOperationIds: auditedOperationIds === null ? null : asSet(auditedOperationIds),
  };
}

/** @throws DomainError `validation` */
function checkRoles(kind: UserKind, roles: readonly string[]): void {
  if (kind !== 'service' || !roles.includes(PLATFORM_ADMIN)) return;
  throw DomainError.invalid(
    `/roles/${roles.indexOf(PLATFORM_ADMIN)}`,
    'not-for-service',
    'A service user cannot be platform-admin. Give it operation-admin or auditor.',
  );
}

/** Without duplicates, sorted. */
function asSet(values: readonly string[]): string[] {
  return [...new Set(values)].sort();
}
