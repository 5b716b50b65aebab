import { Injectable } from '@nestjs/common';
import type { RefusalReason } from '#event-types';
import { Refusals } from '#events';
import { GuessLimiter } from '#guess-limits';
import { AllowedIps, Clock } from '#kernel';
import type { Subject } from '#kernel';
import { ApiKeyHolders } from './api-key-holders.ts';
import { isExpired } from './domain/api-key.ts';
import type { ApiKeyState } from './domain/api-key.ts';
import type { UserState } from './domain/user.ts';
import { UNKNOWN_USER } from './unknown-user.ts';

/** The id under which guesses at API keys are counted: a wrong key names no user. */
const GUESSED_ID = 'api-key';
const NO_ADDRESS = 'unknown';

/**
 * Signs service users in. Reads key and user from the store each time, so that a deletion or an edit is in force
 * immediately.
 */
@Injectable()
export class ApiKeySignIn {
  constructor(
    private readonly holders: ApiKeyHolders,
    private readonly guessLimiter: GuessLimiter,
    private readonly refusals: Refusals,
    private readonly clock: Clock,
  ) {}

  /**
   * The service user who holds the key. Records a refusal.
   *
   * @param ip the caller's canonical address, if known
   * @throws DomainError `too-many-attempts`, `store-unavailable`
   */
  async signIn(apiKey: string, ip: string | null): Promise<UserState | undefined> {
    const held = await this.holders.find(apiKey);
    if (held === undefined) {
      this.refused(UNKNOWN_USER, 'unknown-api-key', ip);
      await this.guessLimiter.countWrongSecret(GUESSED_ID, ip ?? NO_ADDRESS, apiKey);
      return undefined;
    }
    const { key, user } = held;
    const reason = this.reasonAgainst(key, user, ip);
    if (user === undefined || reason !== undefined) {
      this.refused({ type: 'user', id: key.userId }, reason ?? 'unknown-user', ip);
      return undefined;
    }
    this.holders.noteUse(key);
    return user;
  }

  private reasonAgainst(key: ApiKeyState, user: UserState | undefined, ip: string | null): RefusalReason | undefined {
    if (isExpired(key, this.clock.nowMs())) return 'expired';
    if (user?.status === 'disabled') return 'disabled';
    const isAllowed = key.allowedIps.length === 0 || (ip !== null && new AllowedIps(key.allowedIps).admits(ip));
    return isAllowed ? undefined : 'address';
  }

  private refused(subject: Subject, reason: RefusalReason, ip: string | null): void {
    this.refusals.record({ operationId: null, subject, reason, ip });
  }
}
