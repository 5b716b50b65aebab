import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { runInNewContext } from 'node:vm';

/** Passwords by the names of the files that hold them in production: `mongodb-password`, … */
export type Passwords = Readonly<Record<string, string>>;

/** What may be done to a collection; the empty name is each collection of the database. */
export interface Privilege {
  readonly resource: { readonly db: string; readonly collection: string };
  readonly actions: readonly string[];
}

/** A role as `createRole` takes it. */
export interface DatabaseRole {
  readonly role: string;
  readonly privileges: readonly Privilege[];
  readonly roles: readonly string[];
}

/** A user as `createUser` takes it. */
export interface DatabaseUser {
  readonly user: string;
  readonly pwd: string;
  readonly roles: readonly string[];
}

/** What the script makes on an empty server. */
export interface DatabaseUsers {
  readonly roles: readonly DatabaseRole[];
  readonly users: readonly DatabaseUser[];
}

/**
 * Runs a script for mongosh that makes roles and users, with a `db` that only notes what it makes. So the gateway's
 * users have the roles that production gets, not a copy of them.
 *
 * @param script its path; it learns the name of the database from the variable LATCHKEY_DATABASE
 * @param database the name of the database
 * @param passwords those of the users
 */
export function usersOfScript(script: string, database: string, passwords: Passwords): DatabaseUsers {
  const roles: DatabaseRole[] = [];
  const users: DatabaseUser[] = [];
  const sibling = {
    getRole: () => null,
    getUser: () => null,
    createRole: (role: DatabaseRole) => roles.push(role),
    createUser: (user: DatabaseUser) => users.push(user),
  };
  const fs = {
    readFileSync: (path: string): string => {
      const password = passwords[basename(path)];
      if (password === undefined) throw new Error(`there is no password ${basename(path)}`);
      return password;
    },
  };
  const db = {
    getSiblingDB: (name: string) => {
      if (name !== database) throw new Error(`${name} is not the database of these users`);
      return sibling;
    },
  };
  const process = { env: { LATCHKEY_DATABASE: database } };
  runInNewContext(readFileSync(script, 'utf8'), { db, process, require: () => fs }, { filename: script });
  return { roles, users };
}
