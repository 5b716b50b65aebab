import { createHmac, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { digestsEqual } from '#kernel';
import { PasswordQueue } from './password-queue.ts';
import type { PasswordSource } from './password-queue.ts';
import { PasswordThreads } from './password-threads.ts';

/** Argon2id (the library's default) as OWASP recommends it: 19 MiB, two passes, one lane. */
const ARGON2 = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
/** Maximum at a time. Each takes 19 MiB and a core. */
const MAX_RUNNING = 2;
/** About a second of work. */
const MAX_WAITING = 48;
const REMEMBERED_MS = 5 * 60 * 1000;
const MAX_REMEMBERED = 1_000;

/** The parts of a user that concern the password. */
export interface PasswordOwner {
  readonly id: string;
  /** Null for a user without a password. */
  readonly passwordHash: string | null;
}

/**
 * Hashes and verifies passwords. A right password is remembered for five minutes, as a keyed digest of itself and the
 * stored hash, so that not every request costs an Argon2 run. A new password changes the hash, which makes the digest
 * useless.
 */
@Injectable()
export class Passwords implements OnApplicationShutdown {
  /** The digests are useless outside this process. */
  private readonly key = randomBytes(32);
  private readonly right = new LRUCache<string, string>({ max: MAX_REMEMBERED, ttl: REMEMBERED_MS });
  private readonly queue = new PasswordQueue(MAX_RUNNING, MAX_WAITING);
  private readonly threads = new PasswordThreads(MAX_RUNNING);
  private dummyHash: Promise<string> | undefined;

  onApplicationShutdown(): Promise<void> {
    return this.threads.close();
  }

  /** The Argon2id hash of a new password, in PHC form. @throws DomainError `too-busy` */
  hash(password: string, source: PasswordSource = { address: '', username: '' }): Promise<string> {
    return this.queue.run(source, () => this.threads.hash(prepared(password), ARGON2));
  }

  /** A keyed digest by which this process recognises these texts. Useless without the key, also for guessing. */
  mark(...texts: readonly string[]): string {
    return createHmac('sha256', this.key).update(JSON.stringify(texts)).digest('base64url');
  }

  /** Whether the password was right for this hash within the last five minutes. False proves nothing. */
  remembers(user: PasswordOwner, password: string): boolean {
    if (user.passwordHash === null) return false;
    const remembered = this.right.get(user.id);
    return remembered !== undefined && digestsEqual(remembered, this.markOf(user, password));
  }

  /**
   * Verifies a password. For an unknown user it takes as long as for a known one.
   *
   * @param find reads the user; called when it is this password's turn, so that the queue also limits reads
   * @throws DomainError `too-busy` when the queue is full; the errors of `find`
   */
  async verify<T extends PasswordOwner>(
    find: () => Promise<T | undefined>,
    password: string,
    source: PasswordSource,
  ): Promise<{ readonly user: T | undefined; readonly isRight: boolean }> {
    // outside of the queue, so that a full queue cannot prevent it; done once
    const dummyHash = (this.dummyHash ??= this.threads.hash(randomBytes(32).toString('base64'), ARGON2));
    return this.queue.run(source, async () => {
      const user = await find();
      if (user !== undefined && this.remembers(user, password)) return { user, isRight: true };
      const matches = await this.threads.verify(user?.passwordHash ?? (await dummyHash), prepared(password));
      if (user === undefined || user.passwordHash === null || !matches) return { user, isRight: false };
      this.right.set(user.id, this.markOf(user, password));
      return { user, isRight: true };
    });
  }

  private markOf({ passwordHash }: PasswordOwner, password: string): string {
    return this.mark(passwordHash ?? '', prepared(password));
  }
}

/** The normal form: keyboards send some characters in several forms (RFC 8265 4.2.2: passwords are compared in NFC). */
function prepared(password: string): string {
  return password.normalize('NFC');
}
