import { Injectable } from '@nestjs/common';
import { PasswordPolicy } from './password-policy.ts';
import { Passwords } from './passwords.ts';
import type { PasswordSource } from './password-queue.ts';

/** Checks new passwords against the policy and hashes them. */
@Injectable()
export class NewPasswords {
  constructor(
    private readonly policy: PasswordPolicy,
    private readonly passwords: Passwords,
  ) {}

  /**
   * @param username the user who gets the password
   * @param pointer the JSON Pointer of the password in the request, for the error
   * @throws DomainError `weak-password`, `too-busy`
   */
  async hashOf(password: string, username: string, pointer: string, source?: PasswordSource): Promise<string> {
    await this.policy.check(password, username, pointer, source);
    return this.passwords.hash(password, source);
  }
}
