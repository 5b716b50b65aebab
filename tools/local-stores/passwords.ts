import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Passwords } from '../../packages/documentdb-gateway/access/users-script.ts';

/**
 * The stores that are started here listen on 127.0.0.1, where everybody with an account on this machine can reach them.
 */
const NAMES = [
  'mongodb-root-password',
  'mongodb-password',
  'mongodb-migration-password',
  'mongodb-retention-password',
  'redis-password',
] as const;

/** The passwords of the stores of one data folder. */
export type StorePasswords = Passwords & Record<(typeof NAMES)[number], string>;

/** Where they are kept. */
export function passwordsFile(dataFolder: string): string {
  return join(dataFolder, 'store-passwords.json');
}

/** Passwords of 192 random bits, made once and kept in a file that only this user can read. */
export function storePasswords(dataFolder: string): StorePasswords {
  const file = passwordsFile(dataFolder);
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Passwords) : {};
  const passwords = Object.fromEntries(
    NAMES.map((name) => [name, kept[name] ?? randomBytes(24).toString('base64url')]),
  );
  if (NAMES.some((name) => kept[name] === undefined)) {
    writeFileSync(`${file}.new`, `${JSON.stringify(passwords, null, 2)}\n`, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
  return passwords as StorePasswords;
}
