// Runs in a thread of the pool that password-threads.ts makes.
import { hashSync, verifySync } from '@node-rs/argon2';
import type { Options } from '@node-rs/argon2';
import { lowerPriority } from './thread-priority.ts';

lowerPriority();

/** The Argon2 hash of a password, in PHC form. */
export function hash({ password, options }: { password: string; options: Options }): string {
  return hashSync(password, options);
}

/** Whether the password matches the hash. */
export function verify({ hash: phc, password }: { hash: string; password: string }): boolean {
  return verifySync(phc, password);
}
