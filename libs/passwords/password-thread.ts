// Runs in a thread of the pool that password-threads.ts makes.
import { getPriority, setPriority } from 'node:os';
import { hashSync, verifySync } from '@node-rs/argon2';
import type { Options } from '@node-rs/argon2';

/**
 * When they compete for a core, the event loop gets about three times the share of this thread. A lower priority would
 * stop sign-ins on a busy machine.
 */
const NICENESS = 5;
const MAX_NICENESS = 19;

// on other systems this would change the priority of the whole process
if (process.platform === 'linux') setPriority(Math.min(getPriority() + NICENESS, MAX_NICENESS));

/** The Argon2 hash of a password, in PHC form. */
export function hash({ password, options }: { password: string; options: Options }): string {
  return hashSync(password, options);
}

/** Whether the password matches the hash. */
export function verify({ hash: phc, password }: { hash: string; password: string }): boolean {
  return verifySync(phc, password);
}
