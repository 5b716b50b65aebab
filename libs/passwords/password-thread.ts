// Runs in a thread of the pool that password-threads.ts makes.
import { getPriority, setPriority } from 'node:os';
import { hashSync, verifySync } from '@node-rs/argon2';
import type { Options } from '@node-rs/argon2';

/**
 * Where they compete for a core, the event loop gets three parts for each one of this thread. Less would keep people
 * from signing in while the machine is busy.
 */
const NICENESS = 5;
const MAX_NICENESS = 19;

// elsewhere it would be the priority of the whole process
if (process.platform === 'linux') setPriority(Math.min(getPriority() + NICENESS, MAX_NICENESS));

/** The Argon2 hash of a password, in PHC form. */
export function hash({ password, options }: { password: string; options: Options }): string {
  return hashSync(password, options);
}

/** Whether the hash is that of the password. */
export function verify({ hash: phc, password }: { hash: string; password: string }): boolean {
  return verifySync(phc, password);
}
