import { createHmac, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { sourceOf } from '#guess-limits';
import { DomainError, digestsEqual } from '#kernel';
import { FairQueue, QueueFull } from './fair-queue.ts';
import { PasswordThreads } from './password-threads.ts';

/** Argon2id (the library's default algorithm) as OWASP recommends it: 19 MiB, two passes, one lane. */
const ARGON2 = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
/** Each takes 19 MiB and a core. */
const MAX_RUNNING = 2;
/** About a second of work. */
const MAX_WAITING = 48;
const BUSY_SECONDS = 1;
const REMEMBERED_MS = 5 * 60 * 1000;
const MAX_REMEMBERED = 1_000;

/** A user as far as the password goes. */
export interface PasswordOwner {
  readonly id: string;
  /** Null for who has no password. */
  readonly passwordHash: string | null;
}

/** Who brings a password, and for whom: Argon2 is shared fairly among them. */
export interface PasswordSource {
  /** The caller's canonical address. */
  readonly address: string;
  /** The user name that was sent. */
  readonly username: string;
  /** Guesses that came from this address within the window; none from someone who is signed in. */
  readonly guesses?: number;
}

/**
 * People's passwords. A password that was right is remembered for five minutes, as a keyed digest over the stored hash
 * and itself, so that an administrator's every request does not cost an Argon2 run. A changed password changes the
 * hash, and with it what is remembered is worthless.
 */
@Injectable()
export class Passwords implements OnApplicationShutdown {
  /** What is remembered is of no use outside this process. */
  private readonly key = randomBytes(32);
  private readonly right = new LRUCache<string, string>({ max: MAX_REMEMBERED, ttl: REMEMBERED_MS });
  private readonly queue = new FairQueue(MAX_RUNNING, MAX_WAITING);
  private readonly threads = new PasswordThreads(MAX_RUNNING);
  private dummyHash: Promise<string> | undefined;

  onApplicationShutdown(): Promise<void> {
    return this.threads.close();
  }

  /** The Argon2id hash, in PHC form, of a new password. @throws DomainError `too-busy` */
  hash(password: string, source: PasswordSource = { address: '', username: '' }): Promise<string> {
    return this.queued(source, () => this.threads.hash(prepared(password), ARGON2));
  }

  /** A keyed digest of texts, by which this process recognises them. Nobody else can, or can try. */
  mark(...texts: readonly string[]): string {
    return createHmac('sha256', this.key).update(JSON.stringify(texts)).digest('base64url');
  }

  /** Whether this was the user's password a moment ago, with this very hash. False says nothing. */
  remembers(user: PasswordOwner, password: string): boolean {
    if (user.passwordHash === null) return false;
    const remembered = this.right.get(user.id);
    return remembered !== undefined && digestsEqual(remembered, this.markOf(user, password));
  }

  /**
   * The user whose password it is. Without a user it takes as long as with one.
   *
   * @param find reads the user when it is this password's turn: a flood of names costs no reads beyond the queue
   * @throws DomainError `too-busy` when too many others wait; what `find` throws
   */
  async verify<T extends PasswordOwner>(
    find: () => Promise<T | undefined>,
    password: string,
    source: PasswordSource,
  ): Promise<{ readonly user: T | undefined; readonly isRight: boolean }> {
    // outside of the queue: made once, and a queue that is full must not keep it from being made
    const dummyHash = (this.dummyHash ??= this.threads.hash(randomBytes(32).toString('base64'), ARGON2));
    return this.queued(source, async () => {
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

  private async queued<T>({ address, username, guesses = 0 }: PasswordSource, work: () => Promise<T>): Promise<T> {
    try {
      return await this.queue.run({ source: sourceOf(address), subject: username, used: guesses }, work);
    } catch (error) {
      if (!(error instanceof QueueFull)) throw error;
      throw new DomainError('too-busy', 'Too many sign-ins are being checked at this moment. Try again in a second.', {
        retryAfterSeconds: BUSY_SECONDS,
      });
    }
  }
}

/** One form for what keyboards send in several (RFC 8265 4.2.2: passwords are compared in NFC). */
function prepared(password: string): string {
  return password.normalize('NFC');
}
