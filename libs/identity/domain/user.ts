import { Aggregate, DomainEvent, newId } from '#kernel';

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
    });
    created.tell('user.created.v1', { username, roles, operationIds });
    return created;
  }

  get isPlatformAdmin(): boolean {
    return this.state.roles.includes(PLATFORM_ADMIN);
  }

  /**
   * Changes what is given; the event names the members that differ, no values. A given password always counts as changed,
   * since a hash does not tell. @returns whether anything changed
   */
  edit(changes: UserChanges, at: Date): boolean {
    const { state } = this;
    const changed: string[] = [];
    if (changes.username !== undefined && changes.username !== state.username) {
      state.username = changes.username;
      changed.push('username');
    }
    if (changes.passwordHash !== undefined) {
      state.passwordHash = changes.passwordHash;
      changed.push('password');
    }
    for (const member of ['roles', 'operationIds'] as const) {
      const given = changes[member] === undefined ? undefined : asSet(changes[member]);
      if (given === undefined || given.join(' ') === state[member].join(' ')) continue;
      state[member] = given;
      changed.push(member);
    }
    if (changed.length === 0) return false;
    state.version += 1;
    state.updatedAt = at;
    this.tell('user.updated.v1', { changed });
    return true;
  }

  delete(): void {
    this.tell('user.deleted.v1', { username: this.state.username });
  }

  private tell(type: string, data: DomainEvent['data']): void {
    this.record(new DomainEvent(type, null, { type: 'user', id: this.state.id }, data));
  }
}

/** Without duplicates, in one order: roles and ids hold no spaces. */
function asSet(values: readonly string[]): string[] {
  return [...new Set(values)].sort();
}
