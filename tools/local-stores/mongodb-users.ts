import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';

const SCRIPT = fileURLToPath(new URL('../docker/mongo-init.js', import.meta.url));

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
 * Runs tools/docker/mongo-init.js with a `db` that only takes down what it makes. So what tests and `npm start` run
 * with are the roles that production gets, not a copy of them.
 * @param database the name of the database
 * @param passwords those of the users
 */
export function databaseUsers(database: string, passwords: Passwords): DatabaseUsers {
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
      if (name !== database) throw new Error(`${name} is not Latchkey's database`);
      return sibling;
    },
  };
  const process = { env: { LATCHKEY_DATABASE: database } };
  runInNewContext(readFileSync(SCRIPT, 'utf8'), { db, process, require: () => fs }, { filename: SCRIPT });
  return { roles, users };
}
