import { Injectable } from '@nestjs/common';
import type { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { DomainError } from '#kernel';
import type { FieldFault } from '#kernel';

export const MIN_PASSWORD_LENGTH = 12;
export const MAX_PASSWORD_LENGTH = 256;
/** Shorter names are in too many good passwords. */
const MIN_NAME_LENGTH = 3;
/**
 * zxcvbn's score from which on a password takes more than 10^8 guesses: the limit for one that no list of known
 * passwords leads to.
 */
const MIN_SCORE = 3;
/** A password is as strong as its beginning at least, and the time to judge it grows with its length. */
const JUDGED_LENGTH = 64;
/** Words of ours that guessers try first. */
const OWN_WORDS = ['latchkey'];
/**
 * The word lists take some 20 MB, and are needed now and then: they are dropped when nobody has set a password for a
 * while.
 */
const FORGET_MS = 5 * 60 * 1000;

/** What a new password must be. The lists are loaded with the first one, not at start. */
@Injectable()
export class PasswordPolicy {
  private judge: Promise<ZxcvbnFactory> | undefined;
  private forgetting: NodeJS.Timeout | undefined;

  /**
   * @param username whose password it is to be
   * @param pointer of the member that holds it, for the answer
   * @throws DomainError `weak-password` that names each rule it breaks
   */
  async check(password: string, username: string, pointer: string): Promise<void> {
    const messages = await this.weaknesses(password, username);
    if (messages.length === 0) return;
    const errors: FieldFault[] = messages.map((message) => ({ pointer, code: 'weak-password', message }));
    throw new DomainError('weak-password', messages.join(' '), { errors });
  }

  /** A sentence for each rule that the password breaks. None repeats it. */
  private async weaknesses(password: string, username: string): Promise<string[]> {
    const length = Array.from(password).length;
    if (length < MIN_PASSWORD_LENGTH || length > MAX_PASSWORD_LENGTH) {
      return [`A password has ${MIN_PASSWORD_LENGTH} to ${MAX_PASSWORD_LENGTH} characters.`];
    }
    const name = username.toLowerCase();
    const faults: string[] = [];
    if (name.length >= MIN_NAME_LENGTH && password.toLowerCase().includes(name)) {
      faults.push('The password contains the user name.');
    }
    const { score } = (await this.loaded()).check(password.slice(0, JUDGED_LENGTH), [username, ...OWN_WORDS]);
    if (score < MIN_SCORE) {
      faults.push('The password is a known one, or close to one: guessers try it early. Use several unrelated words.');
    }
    return faults;
  }

  private loaded(): Promise<ZxcvbnFactory> {
    this.judge ??= load();
    this.forgetting ??= setTimeout(() => {
      this.judge = undefined;
      this.forgetting = undefined;
    }, FORGET_MS).unref();
    return this.judge;
  }
}

async function load(): Promise<ZxcvbnFactory> {
  const [core, words] = await Promise.all([import('@zxcvbn-ts/core'), import('@zxcvbn-ts/language-common')]);
  return new core.ZxcvbnFactory({ dictionary: words.dictionary, graphs: words.adjacencyGraphs });
}
