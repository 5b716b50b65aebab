import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import mongoose from 'mongoose';
import type { mongo } from 'mongoose';
import type { ResourceServerFacts, ResourceServerReader } from '#catalogue';
import type { CredentialReader, CredentialRecord } from '#credentials';
import { Fence, FenceSource, LeasedReader } from '#fence';
import type { RightsReading } from '#fence';
import { AllowedIps, Clock, SecretSet, digest, newClientId, newClientSecret } from '#kernel';
import { createLogger } from '#observability';
import { ClientAuthenticator } from './client-authenticator.ts';
import { AuthenticationFailed } from './domain/access-error.ts';

const AT = new Date('2026-11-23T12:00:00.000Z');

class FixedClock extends Clock {
  override nowMs(): number {
    return AT.getTime();
  }
}

/** Confirms each fence. */
class ConfirmingSource extends FenceSource {
  private seconds = 0;

  override prove(): Promise<mongo.Timestamp> {
    this.seconds += 1;
    return Promise.resolve(new mongoose.mongo.Timestamp({ t: this.seconds, i: 0 }));
  }

  override versions(after: mongo.Timestamp): Promise<RightsReading> {
    return Promise.resolve({ versions: new Map(), readAt: after });
  }
}

/** A store that counts its look-ups, and the authenticator before it. */
function setUp(): {
  readonly authenticator: ClientAuthenticator;
  readonly clientId: string;
  readonly secret: string;
  readonly lookUps: () => number;
} {
  const clientId = newClientId();
  const secret = newClientSecret();
  const record: CredentialRecord = {
    id: 'cr_1',
    operationId: 'op_1',
    clientId,
    apis: ['a'],
    allowedIps: new AllowedIps(['192.0.2.1']),
    allowedIpTexts: ['192.0.2.1'],
    blocked: undefined,
    expiresAtMs: Infinity,
    tokenTtlSeconds: 60,
    tokenLimitPolicy: 'reject',
    secrets: [SecretSet.first(digest(secret), AT)],
    version: 1,
  };
  let lookUps = 0;
  const fence = new Fence(new ConfirmingSource(), { leaseMs: 250, rightsVersion: true }, createLogger('silent'));
  const reader = <V extends object>(documents: Map<string, V>): LeasedReader<V> =>
    new LeasedReader(fence, {
      scopeOf: () => 'op_1',
      dependsOn: 'rights',
      load: (keys) => {
        lookUps += 1;
        return Promise.resolve(new Map([...documents].filter(([key]) => keys.includes(key))));
      },
    });
  const credentials = reader(new Map([[clientId, record]])) as CredentialReader;
  const server: ResourceServerFacts = { id: 'rs_1', apis: ['a'], requireClientIp: true, secrets: record.secrets };
  const servers = Object.assign(reader(new Map([['rs_1', server]])), { noteUse: () => undefined });
  const authenticator = new ClientAuthenticator(
    credentials,
    servers as unknown as ResourceServerReader,
    new FixedClock(),
  );
  return { authenticator, clientId, secret, lookUps: () => lookUps };
}

/** As those sign in who call: by what is remembered where that is a yes. */
async function signIn(authenticator: ClientAuthenticator, id: string, secret: string): Promise<unknown> {
  return authenticator.remembered(id, secret) ?? (await authenticator.authenticate(id, secret));
}

const refusal = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'let in',
    (error: unknown) => (error instanceof AuthenticationFailed ? error.reason : error),
  );

describe('ClientAuthenticator', () => {
  // no lease runs out, however slow the machine
  beforeEach(() => {
    jest.spyOn(performance, 'now').mockReturnValue(1_000);
    jest.spyOn(Date, 'now').mockReturnValue(AT.getTime());
  });

  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('accepts the right secret, without a look-up within the lease', async () => {
    const { authenticator, clientId, secret, lookUps } = setUp();
    for (let count = 0; count < 3; count += 1) {
      expect(await signIn(authenticator, clientId, secret)).toMatchObject({ type: 'client' });
      expect(await signIn(authenticator, 'rs_1', secret)).toMatchObject({ type: 'resource-server' });
    }
    expect(lookUps()).toBe(2);
  });

  it('queries the store once per refusal, whether the id is unknown, known or cached', async () => {
    const { authenticator, clientId, secret, lookUps } = setUp();
    const costOf = async (id: string, given: string): Promise<[unknown, number]> => {
      const before = lookUps();
      const reason = await refusal(signIn(authenticator, id, given));
      return [reason, lookUps() - before];
    };
    expect(await costOf(clientId, 'wrong')).toStrictEqual(['wrong-secret', 1]);
    expect(await costOf(clientId, 'wrong')).toStrictEqual(['wrong-secret', 1]);
    await signIn(authenticator, clientId, secret);
    expect(await costOf(clientId, 'wrong')).toStrictEqual(['wrong-secret', 1]);
    expect(await costOf(newClientId(), secret)).toStrictEqual(['unknown-client', 1]);
    expect(await costOf('rs_1', 'wrong')).toStrictEqual(['wrong-secret', 1]);
    expect(await costOf('rs_1', 'wrong')).toStrictEqual(['wrong-secret', 1]);
    expect(await costOf('rs_2', secret)).toStrictEqual(['unknown-resource-server', 1]);
    expect(await costOf('', '')).toStrictEqual(['unknown-resource-server', 1]);
  });

  it('refuses clients outside their Allowed IPs, and without an address', async () => {
    const { authenticator, clientId, secret } = setUp();
    const client = await authenticator.client(clientId, secret);
    const check = (address: string | undefined): Promise<unknown> =>
      refusal(Promise.resolve().then(() => authenticator.checkAddress(client, address)));
    expect(await check('192.0.2.1')).toBe('let in');
    expect(await check('192.0.2.2')).toBe('address');
    expect(await check(undefined)).toBe('no-address');
  });
});

describe('ClientAuthenticator, asked by senders that are over a guess limit', () => {
  const FLOOD_MS = 400;
  /** They wait this long at least, and so share their look-ups. */
  const COLLECTED_MS = 50;

  it('asks the store a few times a second for all of them, and still lets a right secret in', async () => {
    const { authenticator, clientId, secret, lookUps } = setUp();
    const sinceMs = performance.now();
    const turnedAway: Promise<unknown>[] = [];
    while (performance.now() - sinceMs < FLOOD_MS) {
      turnedAway.push(
        refusal(authenticator.authenticate(newClientId(), secret, true)),
        refusal(authenticator.authenticate(clientId, newClientSecret(), true)),
      );
      await new Promise((resolve) => setImmediate(resolve));
    }
    const right = await authenticator.authenticate(clientId, secret, true);
    const reasons = new Set(await Promise.all(turnedAway));
    const mayBe = (performance.now() - sinceMs) / COLLECTED_MS + 1;
    expect(right).toMatchObject({ type: 'client', credential: { clientId } });
    expect(reasons).toEqual(new Set(['unknown-client', 'wrong-secret']));
    expect(turnedAway.length).toBeGreaterThan(3 * mayBe); // or nothing was shared
    expect(lookUps()).toBeLessThanOrEqual(mayBe);
  });

  it('has a known id with a wrong secret wait for the same look-up as an unknown one', async () => {
    const { authenticator, clientId, secret, lookUps } = setUp();
    await signIn(authenticator, clientId, secret);
    const before = lookUps();
    const order: string[] = [];
    const noted = (what: string, work: Promise<unknown>): Promise<unknown> =>
      refusal(work).finally(() => order.push(what));
    await Promise.all([
      noted('unknown', authenticator.authenticate(newClientId(), secret, true)),
      noted('known', authenticator.authenticate(clientId, newClientSecret(), true)),
    ]);
    expect(order).toEqual(['unknown', 'known']);
    expect(lookUps() - before).toBe(1);
  });
});
