import { Injectable } from '@nestjs/common';
import { AuthenticationFailed, ClientAuthenticator } from '#access';
import type { AuthenticatedClient, AuthenticatedResourceServer } from '#access';
import type { RefusalReason } from '#event-types';
import { Refusals } from '#events';
import { GuessLimiter } from '#guess-limits';
import { isWellFormedSecret } from '#kernel';
import { UsageRecorder } from '#usage';

/** A correct secret is not a guess, so these refusals do not count towards the limit. */
const NOT_GUESSES: readonly RefusalReason[] = ['disabled', 'suspended', 'expired', 'address', 'no-address'];

/** The key under which wrong secrets from unknown addresses are counted. */
const NO_ADDRESS = 'unknown';

export type SignedIn = AuthenticatedClient | AuthenticatedResourceServer;

/**
 * Signs clients and resource servers in: records refusals, limits wrong secrets, and hides the reason from the caller.
 * The limits never refuse a correct secret.
 */
@Injectable()
export class ClientSignIn {
  constructor(
    private readonly authenticator: ClientAuthenticator,
    private readonly guessLimiter: GuessLimiter,
    private readonly refusals: Refusals,
    private readonly usage: UsageRecorder,
  ) {}

  /**
   * @param address the caller's canonical address
   * @returns synchronously if the pair is in the cache, as for most callers
   * @throws AuthenticationFailed; DomainError `too-many-attempts`, `store-unavailable`. May throw or reject
   */
  signIn(id: string, secret: string, address: string | undefined): SignedIn | Promise<SignedIn> {
    const known = address === undefined ? undefined : this.authenticator.remembered(id, secret);
    return known ?? this.judge(id, secret, address);
  }

  private async judge(id: string, secret: string, address: string | undefined): Promise<SignedIn> {
    // a wrong checksum cannot be a secret: limit it before any query, so that a flood does not reach the store
    if (!isSecret(secret)) this.guessLimiter.checkWrongSecret(id, address ?? NO_ADDRESS);
    // a right secret passes at any limit, so each is looked up; over a limit, a few times a second for all ids alike
    const isLimited = this.guessLimiter.isLimited(id, address ?? NO_ADDRESS);
    try {
      const user = await this.authenticator.authenticate(id, secret, isLimited);
      this.authenticator.requireAddress(user, address);
      return user;
    } catch (error) {
      await this.recordRefusal(error, { id, secret }, address);
      throw error;
    }
  }

  /** @throws AuthenticationFailed when the client must not get a token at this address */
  checkAddress(client: AuthenticatedClient, address: string | undefined): void {
    this.authenticator.checkAddress(client, address);
  }

  /**
   * Records a failed sign-in, and counts it if the secret was wrong. Ignores other errors.
   *
   * @throws DomainError `too-many-attempts` for a wrong secret over the limit
   */
  async recordRefusal(
    error: unknown,
    { id, secret }: { readonly id: string; readonly secret: string },
    address: string | undefined,
  ): Promise<void> {
    if (!(error instanceof AuthenticationFailed)) return;
    const { claimed, reason } = error;
    this.refusals.record({ ...claimed, reason, ip: address ?? null });
    if (claimed.subject.type === 'credential') this.usage.refused(claimed.subject.id, reason);
    if (NOT_GUESSES.includes(reason)) return;
    await this.guessLimiter.countWrongSecret(id, address ?? NO_ADDRESS, secret);
  }
}

function isSecret(text: string): boolean {
  return isWellFormedSecret(text, 'client') || isWellFormedSecret(text, 'resource-server');
}
