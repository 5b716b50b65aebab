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

/** A name and a password as someone sent them. */
interface Attempt {
  readonly username: string;
  readonly password: string;
  readonly address: string;
}

/**
 * Signs local users in by name and password: limits guessing, shares Argon2 fairly, and records refusals. What a user
 * is, is read from the store each time, so that a deletion or an edit is in force immediately.
 */
@Injectable()
export class PasswordSignIn {
  /**
   * By user name: the mark of the password that was right here a moment ago, which need not be counted as an attempt.
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
   * @returns undefined when name or password is wrong
   * @throws DomainError `too-many-attempts`, `too-busy`, `store-unavailable`
   */
  async signIn(username: string, password: string, address: string): Promise<UserState | undefined> {
    const name = usernameKey(username);
    this.guessLimiter.checkPassword(guessedId(name), address);
    const attempt = { username: name, password, address };
    const mark = this.passwords.mark(name, password);
    return (await this.recognise(attempt, mark)) ?? this.first(attempt, mark);
  }

  /** By what was right a moment ago: no attempt is counted, and Argon2 does not run. */
  private async recognise({ username, password }: Attempt, mark: string): Promise<UserState | undefined> {
    if (this.familiar.get(username) !== mark) return undefined;
    const user = await bounded(this.users.findByName(username));
    if (user === undefined || user.state.status === 'disabled') return undefined;
    return this.passwords.remembers(user.state, password) ? user.state : undefined;
  }

  /**
   * Of those who bring the same password at the same time the first is judged alone: a page that sends thirty requests
   * has not made thirty attempts.
   */
  private async first(attempt: Attempt, mark: string): Promise<UserState | undefined> {
    const key = `${attempt.address}\n${mark}`;
    const earlier = this.underWay.get(key);
    if (earlier !== undefined) {
      await earlier.catch(() => undefined);
      return (await this.recognise(attempt, mark)) ?? this.judge(attempt, mark);
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
      // told like a wrong password: who is disabled is nobody's business
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
