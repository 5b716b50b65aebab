import { Injectable } from '@nestjs/common';
import { AuthenticationFailed, ClientAuthenticator } from '#access';
import type { AuthenticatedClient, AuthenticatedResourceServer, RefusalReason } from '#access';
import { Refusals } from '#events';
import { GuessLimiter } from '#identity';
import { isWellFormedSecret } from '#kernel';

/** The secret was right: a client that is disabled and asks again until it is enabled must not be limited then. */
const NO_GUESSES: readonly RefusalReason[] = ['disabled', 'expired', 'address', 'no-address'];

/** Where wrong secrets of callers without a known address are counted. */
const NO_ADDRESS = 'unknown';

export type SignedIn = AuthenticatedClient | AuthenticatedResourceServer;

/**
 * Signs clients and resource servers in: counts refusals, limits wrong secrets, and keeps the true reason from the caller. A right
 * secret is never refused by the limits.
 */
@Injectable()
export class ClientSignIn {
  constructor(
    private readonly authenticator: ClientAuthenticator,
    private readonly guessLimiter: GuessLimiter,
    private readonly refusals: Refusals,
  ) {}

  /**
   * @param address the caller's canonical address
   * @returns mostly synchronously, since most callers know their secret and were here a moment ago
   * @throws AuthenticationFailed; DomainError `too-many-attempts`, `store-unavailable`; directly or by the promise
   */
  signIn(id: string, secret: string, address: string | undefined): SignedIn | Promise<SignedIn> {
    const known = address === undefined ? undefined : this.authenticator.remembered(id, secret);
    return known ?? this.judge(id, secret, address);
  }

  private async judge(id: string, secret: string, address: string | undefined): Promise<SignedIn> {
    // the checksum says that it is no secret of ours, whatever the id: no store is asked for someone who only floods
    if (!isSecret(secret)) this.guessLimiter.checkWrongSecret(id, address ?? NO_ADDRESS);
    try {
      const user = await this.authenticator.authenticate(id, secret);
      this.authenticator.requireAddress(user, address);
      return user;
    } catch (error) {
      await this.refused(error, { id, secret }, address);
      throw error;
    }
  }

  /** @throws AuthenticationFailed when the client may get no token at this address */
  checkAddress(client: AuthenticatedClient, address: string | undefined): void {
    this.authenticator.checkAddress(client, address);
  }

  /**
   * Records a failed sign-in, and counts it where the secret was wrong. Does nothing for other errors.
   *
   * @throws DomainError `too-many-attempts` for a wrong secret over the limit, in place of the error
   */
  async refused(
    error: unknown,
    { id, secret }: { readonly id: string; readonly secret: string },
    address: string | undefined,
  ): Promise<void> {
    if (!(error instanceof AuthenticationFailed)) return;
    this.refusals.record({ ...error.claimed, reason: error.reason, ip: address ?? null });
    if (NO_GUESSES.includes(error.reason)) return;
    await this.guessLimiter.countWrongSecret(id, address ?? NO_ADDRESS, secret);
  }
}

function isSecret(text: string): boolean {
  return isWellFormedSecret(text, 'client') || isWellFormedSecret(text, 'resource-server');
}
