import { Injectable } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { DomainError } from '#kernel';
import type { FieldFault } from '#kernel';
import { PasswordQueue } from './password-queue.ts';
import type { PasswordSource } from './password-queue.ts';
import { PasswordScores } from './password-scores.ts';

export const MIN_PASSWORD_LENGTH = 12;
export const MAX_PASSWORD_LENGTH = 256;
/** Shorter names are part of too many good passwords. */
const MIN_NAME_LENGTH = 3;
/**
 * The lowest accepted score of zxcvbn: from 3 on, a password takes more than 10^8 guesses.
 */
const MIN_SCORE = 3;
/** Only the beginning is scored: the time for it grows with its length, and the rest only adds strength. */
const SCORED_LENGTH = 64;
/** Words of this product, which attackers try first. */
const OWN_WORDS = ['latchkey'];
/** Each takes up to 50 ms. */
const MAX_WAITING = 48;

/** The rules for new passwords. */
@Injectable()
export class PasswordPolicy implements OnApplicationShutdown {
  private readonly queue = new PasswordQueue(1, MAX_WAITING);
  private readonly scores = new PasswordScores();

  onApplicationShutdown(): Promise<void> {
    return this.scores.close();
  }

  /**
   * @param username the user who gets the password
   * @param pointer the JSON Pointer of the password in the request, for the error
   * @throws DomainError `weak-password` that names each broken rule; `too-busy`
   */
  async check(
    password: string,
    username: string,
    pointer: string,
    source: PasswordSource = { address: '', username: '' },
  ): Promise<void> {
    const messages = await this.weaknesses(password, username, source);
    if (messages.length === 0) return;
    const errors: FieldFault[] = messages.map((message) => ({ pointer, code: 'weak-password', message }));
    throw new DomainError('weak-password', messages.join(' '), { errors });
  }

  /** One sentence for each broken rule. No sentence repeats the password. */
  private async weaknesses(password: string, username: string, source: PasswordSource): Promise<string[]> {
    const length = Array.from(password).length;
    if (length < MIN_PASSWORD_LENGTH || length > MAX_PASSWORD_LENGTH) {
      return [`A password has ${MIN_PASSWORD_LENGTH} to ${MAX_PASSWORD_LENGTH} characters.`];
    }
    const name = username.toLowerCase();
    const faults: string[] = [];
    if (name.length >= MIN_NAME_LENGTH && password.toLowerCase().includes(name)) {
      faults.push('The password contains the user name.');
    }
    const beginning = password.slice(0, SCORED_LENGTH);
    const score = await this.queue.run(source, () => this.scores.score(beginning, [username, ...OWN_WORDS]));
    if (score < MIN_SCORE) {
      faults.push('The password is a known one, or close to one: guessers try it early. Use several unrelated words.');
    }
    return faults;
  }
}
