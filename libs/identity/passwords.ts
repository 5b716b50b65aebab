import { createHmac, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { hash, verify } from '@node-rs/argon2';
import { LRUCache } from 'lru-cache';
import { digestsEqual } from '#kernel';

/** Argon2id (the library's default algorithm) as OWASP recommends it: 19 MiB, two passes, one lane. */
const ARGON2 = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const REMEMBERED_MS = 5 * 60 * 1000;
const REMEMBERED_USERS = 1_000;

/**
 * People's passwords. A password that was right is remembered for five minutes, as a keyed digest over the stored hash and
 * itself, so that an administrator's every request does not cost an Argon2 run; a changed password changes the hash,
 * and with it what is remembered is worthless.
 */
@Injectable()
export class Passwords {
  /** Never leaves this process: what is remembered is of no use to whoever reads it elsewhere. */
  private readonly key = randomBytes(32);
  private readonly right = new LRUCache<string, string>({ max: REMEMBERED_USERS, ttl: REMEMBERED_MS });
  private readonly underWay = new Map<string, Promise<boolean>>();
  private dummyHash: Promise<string> | undefined;

  /** The Argon2id hash, in PHC form, of a password. */
  hash(password: string): Promise<string> {
    return hash(prepared(password), ARGON2);
  }

  /**
   * Whether the password is the user's. Without a user it takes as long as with one, and answers no.
   *
   * @param user whose id and stored hash are compared with
   */
  async verify(
    user: { readonly id: string; readonly passwordHash: string } | undefined,
    password: string,
  ): Promise<boolean> {
    this.dummyHash ??= this.hash(randomBytes(32).toString('base64'));
    const stored = user?.passwordHash ?? (await this.dummyHash);
    const mark = createHmac('sha256', this.key)
      .update(`${stored}\0${prepared(password)}`)
      .digest('base64url');
    const remembered = user === undefined ? undefined : this.right.get(user.id);
    if (remembered !== undefined && digestsEqual(remembered, mark)) return true;
    const matches = await this.once(mark, () => verify(stored, prepared(password)));
    if (matches && user !== undefined) this.right.set(user.id, mark);
    return matches && user !== undefined;
  }

  /** Requests that come at once with the same password cost one run. */
  private async once(mark: string, run: () => Promise<boolean>): Promise<boolean> {
    const running = this.underWay.get(mark);
    if (running !== undefined) return running;
    const started = run().finally(() => this.underWay.delete(mark));
    this.underWay.set(mark, started);
    return started;
  }
}

/** One form for what keyboards send in several (RFC 8265 4.2.2: passwords are compared in NFC). */
function prepared(password: string): string {
  return password.normalize('NFC');
}
