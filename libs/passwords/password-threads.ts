import { Piscina } from 'piscina';
import type { Options } from '@node-rs/argon2';
import { threadFile } from './thread-file.ts';

/** A thread starts with the first password and ends after this time without one, in milliseconds. */
const IDLE_MS = 5 * 60 * 1000;

/**
 * Argon2 in its own threads, at a low priority. Otherwise it would share libuv's threads with file and DNS access, and
 * compete with the event loop for the processor.
 */
export class PasswordThreads {
  private readonly pool: Piscina;

  /** @param maxThreads the maximum number of passwords at a time */
  constructor(maxThreads: number) {
    this.pool = new Piscina({
      filename: threadFile('password-thread'),
      minThreads: 0,
      maxThreads,
      idleTimeout: IDLE_MS,
    });
  }

  /** The Argon2 hash of a password, in PHC form. */
  hash(password: string, options: Options): Promise<string> {
    return this.pool.run({ password, options }, { name: 'hash' }) as Promise<string>;
  }

  /** Whether the password matches the hash. */
  verify(hash: string, password: string): Promise<boolean> {
    return this.pool.run({ hash, password }, { name: 'verify' }) as Promise<boolean>;
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    await this.pool.destroy();
  }
}
