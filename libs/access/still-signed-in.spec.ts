import { describe, expect, it } from '@jest/globals';
import type { ResourceServerFacts, ResourceServerReader } from '#catalogue';
import type { CredentialReader, CredentialRecord } from '#credentials';
import { AllowedIps, Clock } from '#kernel';
import { ClientAuthenticator } from './client-authenticator.ts';
import type { AuthenticatedClient, AuthenticatedResourceServer } from './client-authenticator.ts';

const credential: CredentialRecord = {
  id: 'cr_1',
  operationId: 'op_1',
  clientId: 'lk_ci_1',
  apis: ['a'],
  allowedIps: new AllowedIps([]),
  allowedIpTexts: [],
  blocked: undefined,
  expiresAtMs: 2_000,
  tokenTtlSeconds: 60,
  tokenLimitPolicy: 'reject',
  secrets: [],
  version: 1,
};
const resourceServer: ResourceServerFacts = { id: 'rs_1', apis: ['a'], requireClientIp: true, secrets: [] };
const client: AuthenticatedClient = { type: 'client', credential, secretId: 'sc_1', secretEndsAtMs: 1_000 };
const server: AuthenticatedResourceServer = {
  type: 'resource-server',
  resourceServer,
  secretId: 'sc_2',
  secretEndsAtMs: Infinity,
};

/** @param proven what the fence proves at the moment; undefined: nothing */
function authenticatorAt(nowMs: number, proven: object | undefined): ClientAuthenticator {
  class FixedClock extends Clock {
    override nowMs(): number {
      return nowMs;
    }
  }
  const reader = { peek: () => proven, noteUse: () => undefined };
  return new ClientAuthenticator(
    reader as unknown as CredentialReader,
    reader as unknown as ResourceServerReader,
    new FixedClock(),
  );
}

describe('ClientAuthenticator.isStillSignedIn', () => {
  it('accepts the record that the fence proves', () => {
    expect(authenticatorAt(0, credential).isStillSignedIn(client)).toBe(true);
    expect(authenticatorAt(0, resourceServer).isStillSignedIn(server)).toBe(true);
  });

  it('refuses when the fence proves nothing, or the record was read again', () => {
    expect(authenticatorAt(0, undefined).isStillSignedIn(client)).toBe(false);
    expect(authenticatorAt(0, { ...credential }).isStillSignedIn(client)).toBe(false);
    expect(authenticatorAt(0, undefined).isStillSignedIn(server)).toBe(false);
    expect(authenticatorAt(0, { ...resourceServer }).isStillSignedIn(server)).toBe(false);
  });

  it('refuses an expired secret, and an expired credential', () => {
    expect(authenticatorAt(999, credential).isStillSignedIn(client)).toBe(true);
    expect(authenticatorAt(1_000, credential).isStillSignedIn(client)).toBe(false);
    const lasting = { ...client, secretEndsAtMs: Infinity };
    expect(authenticatorAt(1_999, credential).isStillSignedIn(lasting)).toBe(true);
    expect(authenticatorAt(2_000, credential).isStillSignedIn(lasting)).toBe(false);
  });
});
