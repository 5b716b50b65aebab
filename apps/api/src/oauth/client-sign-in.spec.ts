import { describe, expect, it } from '@jest/globals';
import { AuthenticationFailed } from '#access';
import type { ClientAuthenticator } from '#access';
import type { Refusals } from '#events';
import type { GuessLimiter } from '#guess-limits';
import { DomainError, newClientId, newClientSecret } from '#kernel';
import type { UsageRecorder } from '#usage';
import { ClientSignIn } from './client-sign-in.ts';

/** Sign-in before a store that knows nobody; says which look-ups it was asked for. */
function setUp(isLimited: boolean): { readonly signIn: ClientSignIn; readonly lookUps: string[] } {
  const lookUps: string[] = [];
  const limited = new DomainError('too-many-attempts', 'Wait.');
  const authenticator = {
    remembered: () => undefined,
    authenticate: (_id: string, _secret: string, unhurried: boolean) => {
      lookUps.push(unhurried ? 'unhurried' : 'immediate');
      return Promise.reject(new AuthenticationFailed('unknown-client'));
    },
  };
  const limiter = {
    isLimited: () => isLimited,
    checkWrongSecret: () => {
      if (isLimited) throw limited;
    },
    countWrongSecret: () => (isLimited ? Promise.reject(limited) : Promise.resolve()),
  };
  const signIn = new ClientSignIn(
    authenticator as unknown as ClientAuthenticator,
    limiter as unknown as GuessLimiter,
    { record: () => undefined } as unknown as Refusals,
    { refused: () => undefined } as unknown as UsageRecorder,
  );
  return { signIn, lookUps };
}

const codeOf = (work: unknown): Promise<unknown> =>
  Promise.resolve(work).then(
    () => 'let in',
    (error: unknown) => (error instanceof DomainError ? error.code : 'invalid_client'),
  );

describe('ClientSignIn, with a secret that may be right', () => {
  it('looks the client up immediately below the guess limits', async () => {
    const { signIn, lookUps } = setUp(false);
    expect(await codeOf(signIn.signIn(newClientId(), newClientSecret(), '192.0.2.1'))).toBe('invalid_client');
    expect(lookUps).toEqual(['immediate']);
  });

  it('shares the look-up with others over a limit, and refuses there without one what cannot be right', async () => {
    const { signIn, lookUps } = setUp(true);
    expect(await codeOf(signIn.signIn(newClientId(), newClientSecret(), '192.0.2.1'))).toBe('too-many-attempts');
    expect(await codeOf(signIn.signIn(newClientId(), 'without a checksum', '192.0.2.1'))).toBe('too-many-attempts');
    expect(lookUps).toEqual(['unhurried']);
  });
});
