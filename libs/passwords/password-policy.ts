import { Injectable } from '@nestjs/common';
import type { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { DomainError } from '#kernel';
import type { FieldFault } from '#kernel';

export const MIN_PASSWORD_LENGTH = 12;
export const MAX_PASSWORD_LENGTH = 256;
/** Shorter names are part of too many good passwords. */
const MIN_NAME_LENGTH = 3;
/**
 * The lowest accepted score of zxcvbn: from 3 on, a password takes more than 10^8 guesses.
 */
const MIN_SCORE = 3;
/** Only the beginning is scored, because the time for it grows with its length. The rest only adds strength. */
const SCORED_LENGTH = 64;
/** Words of this product, which attackers try first. */
const OWN_WORDS = ['latchkey'];
/**
 * The word lists take about 20 MB and are rarely needed, so they are dropped after this time.
 */
const DROP_MS = 5 * 60 * 1000;

/** The rules for new passwords. The word lists are loaded for the first one, not at start. */
@Injectable()
export class PasswordPolicy {
  private scorer: Promise<ZxcvbnFactory> | undefined;
  private dropTimer: NodeJS.Timeout | undefined;

  /**
   * @param username the user who gets the password
   * @param pointer the JSON Pointer of the password in the request, for the error
   * @throws DomainError `weak-password` that names each broken rule
   */
  async check(password: string, username: string, pointer: string): Promise<void> {
    const messages = await this.weaknesses(password, username);
    if (messages.length === 0) return;
    const errors: FieldFault[] = messages.map((message) => ({ pointer, code: 'weak-password', message }));
    throw new DomainError('weak-password', messages.join(' '), { errors });
  }

  /** One sentence for each broken rule. No sentence repeats the password. */
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
    const { score } = (await this.loaded()).check(password.slice(0, SCORED_LENGTH), [username, ...OWN_WORDS]);
    if (score < MIN_SCORE) {
      faults.push('The password is a known one, or close to one: guessers try it early. Use several unrelated words.');
    }
    return faults;
  }

  private loaded(): Promise<ZxcvbnFactory> {
    this.scorer ??= load();
    this.dropTimer ??= setTimeout(() => {
      this.scorer = undefined;
      this.dropTimer = undefined;
    }, DROP_MS).unref();
    return this.scorer;
  }
}

async function load(): Promise<ZxcvbnFactory> {
  const [core, words] = await Promise.all([import('@zxcvbn-ts/core'), import('@zxcvbn-ts/language-common')]);
  return new core.ZxcvbnFactory({ dictionary: words.dictionary, graphs: words.adjacencyGraphs });
}
