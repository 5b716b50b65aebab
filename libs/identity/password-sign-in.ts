import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { RefusalReason } from '#event-types';
import { Refusals } from '#events';
import { GuessLimiter } from '#guess-limits';
import { bounded } from '#mongo';
import { Passwords } from '#passwords';
import { usernameKey } from './domain/user.ts';
import type { UserState } from './domain/user.ts';
import { UserRepository } from './persistence/user.repository.ts';
import { UNKNOWN_USER } from './unknown-user.ts';

const FAMILIAR_MS = 5 * 60 * 1000;
const MAX_FAMILIAR = 1_000;

/** A name and a password as sent. */
interface Attempt {
  readonly username: string;
  readonly password: string;
  readonly address: string;
}

/**
 * Signs local users in by name and password: limits guessing, shares Argon2 fairly, and records refusals. Reads the
 * user from the store each time, so that a deletion or an edit is in force immediately.
 */
@Injectable()
export class PasswordSignIn {
  /**
   * By user name: the mark of a password that was right within five minutes. It is not counted as an attempt.
   */
  private readonly familiar = new LRUCache<string, string>({ max: MAX_FAMILIAR, ttl: FAMILIAR_MS });
  private readonly underWay = new Map<string, Promise<unknown>>();

  constructor(
    private readonly users: UserRepository,
    private readonly passwords: Passwords,
    private readonly guessLimiter: GuessLimiter,
    private readonly refusals: Refusals,
  ) {}

  /**
   * The local user with this name and password. An unknown name takes as long as a wrong password.
   *
   * @param address the caller's canonical address
   * @returns undefined if name or password is wrong
   * @throws DomainError `too-many-attempts`, `too-busy`, `store-unavailable`
   */
  async signIn(username: string, password: string, address: string): Promise<UserState | undefined> {
    const name = usernameKey(username);
    this.guessLimiter.checkPassword(guessedId(name), address);
    const attempt = { username: name, password, address };
    const mark = this.passwords.mark(name, password);
    return (await this.recognize(attempt, mark)) ?? this.first(attempt, mark);
  }

  /** Recognizes a password that was right a moment ago, without counting an attempt or running Argon2. */
  private async recognize({ username, password }: Attempt, mark: string): Promise<UserState | undefined> {
    if (this.familiar.get(username) !== mark) return undefined;
    const user = await bounded(this.users.findByName(username));
    if (user === undefined || user.state.status === 'disabled') return undefined;
    return this.passwords.remembers(user.state, password) ? user.state : undefined;
  }

  /**
   * Verifies one of several simultaneous requests with the same password first. A page that sends thirty requests has
   * not made thirty attempts.
   */
  private async first(attempt: Attempt, mark: string): Promise<UserState | undefined> {
    const key = `${attempt.address}\n${mark}`;
    const earlier = this.underWay.get(key);
    if (earlier !== undefined) {
      await earlier.catch(() => undefined);
      return (await this.recognize(attempt, mark)) ?? this.judge(attempt, mark);
    }
    const judged = this.judge(attempt, mark).finally(() => this.underWay.delete(key));
    this.underWay.set(key, judged);
    return judged;
  }

  private async judge(attempt: Attempt, mark: string): Promise<UserState | undefined> {
    const { username, password, address } = attempt;
    const counted = await this.guessLimiter.attemptPassword(guessedId(username), address);
    const find = async (): Promise<UserState | undefined> => (await bounded(this.users.findByName(username)))?.state;
    const judged = this.passwords.verify(find, password, { ...attempt, guesses: counted.guesses });
    judged.catch(() => counted.giveBack()); // nobody learned anything about the password
    const { user, isRight } = await judged;
    if (user !== undefined && isRight) {
      counted.giveBack();
      // the same answer as for a wrong password, so that it does not reveal who is disabled
      if (user.status === 'disabled') {
        this.refused(user, address, 'disabled');
        return undefined;
      }
      this.familiar.set(username, mark);
      return user;
    }
    this.refused(user, address, user === undefined ? 'unknown-user' : 'wrong-password');
    counted.keep();
    return undefined;
  }

  private refused(user: UserState | undefined, ip: string, reason: RefusalReason): void {
    const subject = user === undefined ? UNKNOWN_USER : { type: 'user', id: user.id };
    this.refusals.record({ operationId: null, subject, reason, ip });
  }
}

/** User names are case-insensitive. The prefix keeps them apart from client ids. */
function guessedId(name: string): string {
  return `user:${name}`;
}
