import { Injectable } from '@nestjs/common';
import { AuthenticationFailed, ClientAuthenticator } from '#access';
import type { AuthenticatedClient, AuthenticatedResourceServer, RefusalReason } from '#access';
import { Refusals } from '#events';
import { GuessLimiter } from '#identity';

/** Who showed a right secret guessed nothing: a client that was disabled, and asks again until it is enabled, is not to be limited then. */
const NO_GUESSES: readonly RefusalReason[] = ['disabled', 'expired', 'address'];

/** Where failed sign-ins of callers whose address cannot be told are counted. */
const NO_ADDRESS = 'unknown';

export type SignedIn = AuthenticatedClient | AuthenticatedResourceServer;

/** Signs clients and resource servers in: slows guessing, counts refusals, and keeps the true reason from the caller. */
@Injectable()
export class ClientSignIn {
  constructor(
    private readonly authenticator: ClientAuthenticator,
    private readonly guessLimiter: GuessLimiter,
    private readonly refusals: Refusals,
  ) {}

  /**
   * @param address the caller's canonical address
   * @returns mostly at once, since those who call know their secret and were here a moment ago
   * @throws AuthenticationFailed; DomainError `too-many-attempts`, `store-unavailable`; directly or by the promise
   */
  signIn(id: string, secret: string, address: string | undefined): SignedIn | Promise<SignedIn> {
    const waiting = this.guessLimiter.check(id, address ?? NO_ADDRESS);
    if (waiting === undefined && address !== undefined) {
      const known = this.authenticator.remembered(id, secret);
      if (known !== undefined) return known;
    }
    return this.judge(waiting, id, secret, address);
  }

  private async judge(
    waiting: Promise<void> | undefined,
    id: string,
    secret: string,
    address: string | undefined,
  ): Promise<SignedIn> {
    await waiting;
    try {
      const user = await this.authenticator.authenticate(id, secret);
      this.authenticator.requireAddress(user, address);
      return user;
    } catch (error) {
      await this.refused(error, id, address);
      throw error;
    }
  }

  /** @throws AuthenticationFailed when the client may get no token at this address */
  checkAddress(client: AuthenticatedClient, address: string | undefined): void {
    this.authenticator.checkAddress(client, address);
  }

  /** Records a failed sign-in, and counts it where it may have been a guess. Other errors are none. */
  async refused(error: unknown, id: string, address: string | undefined): Promise<void> {
    if (!(error instanceof AuthenticationFailed)) return;
    this.refusals.record({ ...error.claimed, reason: error.reason, ip: address ?? null });
    if (!NO_GUESSES.includes(error.reason)) await this.guessLimiter.failed(id, address ?? NO_ADDRESS);
  }
}
