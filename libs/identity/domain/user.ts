import { UserCreated, UserDeleted, UserUpdated } from '#event-types';
import { Aggregate, differences, newId } from '#kernel';

/** The state of a local user. `version` is its ETag; of the password only its Argon2id hash is known. */
export interface UserState {
  readonly id: string;
  username: string;
  passwordHash: string;
  roles: readonly string[];
  operationIds: readonly string[];
  version: number;
  readonly createdAt: Date;
  updatedAt: Date;
  /** When the user last signed in; kept without a new version. */
  readonly lastSignInAt: Date | null;
}

/** What a new user is made of. */
export interface NewUser {
  readonly username: string;
  readonly passwordHash: string;
  readonly roles: readonly string[];
  readonly operationIds: readonly string[];
}

export type UserChanges = { readonly [Member in keyof NewUser]?: NewUser[Member] | undefined };

const PLATFORM_ADMIN = 'platform-admin';

/** The form in which user names are compared; they are ASCII. */
export function usernameKey(username: string): string {
  return username.toLowerCase();
}

/** A person who signs in with a password. Its events are the platform's, and never hold anything of the password. */
export class User extends Aggregate {
  constructor(readonly state: UserState) {
    super();
  }

  static create(user: NewUser, at: Date): User {
    const roles = asSet(user.roles);
    const operationIds = asSet(user.operationIds);
    const { username, passwordHash } = user;
    const created = new User({
      id: newId('us'),
      username,
      passwordHash,
      roles,
      operationIds,
      version: 1,
      createdAt: at,
      updatedAt: at,
      lastSignInAt: null,
    });
    created.record(new UserCreated(created.target, { before: null, after: created.rights }));
    return created;
  }

  get isPlatformAdmin(): boolean {
    return this.state.roles.includes(PLATFORM_ADMIN);
  }

  /**
   * Changes what is given; the event holds who may do what before and after. A given password always counts as changed,
   * since a hash does not tell. An edit that changes nothing emits no event. @returns whether anything changed
   */
  edit({ passwordHash, ...changes }: UserChanges, at: Date): boolean {
    const before = this.rights;
    const after = {
      username: changes.username ?? before.username,
      roles: changes.roles === undefined ? before.roles : asSet(changes.roles),
      operationIds: changes.operationIds === undefined ? before.operationIds : asSet(changes.operationIds),
    };
    const passwordChanged = passwordHash !== undefined;
    if (!passwordChanged && differences(before, after) === undefined) return false;
    Object.assign(this.state, after, passwordChanged ? { passwordHash } : {});
    this.state.version += 1;
    this.state.updatedAt = at;
    this.record(new UserUpdated(this.target, { before, after, passwordChanged }));
    return true;
  }

  delete(): void {
    this.record(new UserDeleted(this.target, this.rights));
  }

  /** Who it is and what it may do: all of its state that events may hold. */
  private get rights(): { username: string; roles: readonly string[]; operationIds: readonly string[] } {
    const { username, roles, operationIds } = this.state;
    return { username, roles: [...roles], operationIds: [...operationIds] };
  }

  private get target(): { readonly id: string } {
    return { id: this.state.id };
  }
}

/** Without duplicates, in one order: roles and ids hold no spaces. */
function asSet(values: readonly string[]): string[] {
  return [...new Set(values)].sort();
}
