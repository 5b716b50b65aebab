import { fileURLToPath } from 'node:url';
import { usersOfScript } from '../../packages/documentdb-gateway/access/users-script.ts';
import type { DatabaseUsers, Passwords } from '../../packages/documentdb-gateway/access/users-script.ts';

/** The script that makes the roles and users of production. */
export const USERS_SCRIPT = fileURLToPath(new URL('../docker/mongo-init.js', import.meta.url));

/**
 * The roles and users that tools/docker/mongo-init.js makes on an empty server.
 *
 * @param database the name of the database
 * @param passwords those of the users, by the names of the files that hold them in production
 */
export function databaseUsers(database: string, passwords: Passwords): DatabaseUsers {
  return usersOfScript(USERS_SCRIPT, database, passwords);
}
