import { Injectable } from '@nestjs/common';
import { PasswordPolicy } from './password-policy.ts';
import { Passwords } from './passwords.ts';
import type { PasswordSource } from './passwords.ts';

/** Takes new passwords: holds them to the policy, and makes the hash that is kept. */
@Injectable()
export class NewPasswords {
  constructor(
    private readonly policy: PasswordPolicy,
    private readonly passwords: Passwords,
  ) {}

  /**
   * @param username whose password it is to be
   * @param pointer of the member that holds it, for the answer
   * @throws DomainError `weak-password`, `too-busy`
   */
  async hashOf(password: string, username: string, pointer: string, source?: PasswordSource): Promise<string> {
    await this.policy.check(password, username, pointer);
    return this.passwords.hash(password, source);
  }
}
