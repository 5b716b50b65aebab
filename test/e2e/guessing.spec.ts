import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Api, basic } from '../support/api.ts';
import type { Answer, CredentialBody } from '../support/api.ts';
import { pathOf } from '../support/builders.ts';
import { OAuthWorld } from '../support/oauth-world.ts';
import { RedisServer } from '../support/redis-server.ts';
import { startService } from '../support/service.ts';

const PER_CLIENT = 5;
const PER_ADDRESS = 12;
const LIMITS = {
  GUESS_LIMIT_PER_CLIENT: String(PER_CLIENT),
  GUESS_LIMIT_PER_ADDRESS: String(PER_ADDRESS),
  // the tests come from many addresses
  TRUSTED_PROXIES: '127.0.0.1/32',
};

let redis: RedisServer;
let world: OAuthWorld;
let used = 0;

/** An address that nothing has come from yet. */
function anAddress(): string {
  used += 1;
  return `198.51.${Math.floor(used / 250)}.${(used % 250) + 1}`;
}

/** Signs in to the token endpoint from an address. */
function signIn(from: string, id: string, secret: string, api: Api = world.api): Promise<Answer> {
  return api.as(null).call('POST', '/oauth2/token', {
    raw: 'grant_type=client_credentials',
    headers: {
      authorization: basic({ username: id, password: secret }),
      'content-type': 'application/x-www-form-urlencoded',
      'x-forwarded-for': from,
    },
  });
}

async function guess(times: number, from: string, id: string): Promise<number[]> {
  const statuses: number[] = [];
  for (let count = 0; count < times; count += 1) statuses.push((await signIn(from, id, `wrong-${count}`)).status);
  return statuses;
}

beforeAll(async () => {
  redis = await RedisServer.running();
  world = await OAuthWorld.start(2, { env: { ...LIMITS, REDIS_URL: redis.url } });
});

afterAll(async () => {
  await world.stop();
  await redis.kill();
});

describe('secret guessing', () => {
  it('gets 429 with Retry-After after too many failures for one id from one address', async () => {
    const client = await world.client();
    const from = anAddress();
    expect(await guess(PER_CLIENT, from, client.clientId)).toStrictEqual(Array(PER_CLIENT).fill(401));
    const limited = await signIn(from, client.clientId, 'wrong');
    expect(limited.status).toBe(429);
    expect(limited.body).toMatchObject({ error: 'temporarily_unavailable' });
    const seconds = Number(limited.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(200);
    expect(seconds).toBeLessThanOrEqual(300);
    expect(limited.headers.get('cache-control')).toBe('no-store');
  });

  it('from another address never locks out the legitimate client', async () => {
    const client = await world.client({ tokenLimitPolicy: 'evict_oldest' });
    await Promise.all(Array.from({ length: 4 }, () => guess(PER_ADDRESS, anAddress(), client.clientId)));
    for (const api of world.apis) {
      expect((await signIn(anAddress(), client.clientId, client.clientSecret, api)).status).toBe(200);
    }
  });

  it('for one id does not limit other ids at that address, until the address itself is over its limit', async () => {
    const from = anAddress();
    const [one, other] = [await world.client(), await world.client()];
    await guess(PER_CLIENT, from, one.clientId);
    expect((await signIn(from, other.clientId, other.clientSecret)).status).toBe(200);
    const ids = Array.from({ length: PER_ADDRESS - PER_CLIENT }, (_, index) => `unknown-${index}`);
    for (const id of ids) expect((await signIn(from, id, 'wrong')).status).toBe(401);
    expect((await signIn(from, other.clientId, 'wrong')).status).toBe(429);
    expect((await signIn(from, 'yet-another', 'wrong')).status).toBe(429);
    expect((await signIn(anAddress(), other.clientId, 'wrong')).status).toBe(401);
  });

  it('is counted across all instances, and limited on all of them', async () => {
    const client = await world.client();
    const from = anAddress();
    for (let count = 0; count < PER_CLIENT; count += 1) {
      expect((await signIn(from, client.clientId, 'wrong', world.apis[count % 2])).status).toBe(401);
    }
    for (const api of world.apis) {
      expect((await signIn(from, client.clientId, 'wrong', api)).status).toBe(429);
    }
  });

  it('does not count successful sign-ins', async () => {
    const client = await world.client({ tokenLimitPolicy: 'evict_oldest' });
    const from = anAddress();
    for (let count = 0; count < 2 * PER_ADDRESS; count += 1) {
      expect((await signIn(from, client.clientId, client.clientSecret)).status).toBe(200);
    }
  });

  it('does not count right secrets: a client that was disabled or at a wrong address succeeds as soon as that changes', async () => {
    const client = await world.client({ tokenLimitPolicy: 'evict_oldest' });
    const from = anAddress();
    for (const [shut, open] of [
      [{ status: 'disabled' }, { status: 'active' }],
      [{ allowedIps: ['192.0.2.1'] }, { allowedIps: [] }],
    ]) {
      expect((await world.api.patch(pathOf(client), shut)).status).toBe(200);
      for (let count = 0; count < 2 * PER_CLIENT; count += 1)
        expect((await signIn(from, client.clientId, client.clientSecret)).status).toBe(401);
      expect((await world.api.patch(pathOf(client), open)).status).toBe(200);
      expect((await signIn(from, client.clientId, client.clientSecret)).status).toBe(200);
    }
  });

  it('is counted alike at introspection, revocation and forward-auth', async () => {
    const { username, password } = world.resourceServer;
    const from = anAddress();
    const form = (path: string, secret: string): Promise<Answer> =>
      world.api.as(null).call('POST', path, {
        raw: 'token=x',
        headers: {
          authorization: basic({ username, password: secret }),
          'content-type': 'application/x-www-form-urlencoded',
          'x-forwarded-for': from,
        },
      });
    const forwardAuth = (secret: string): Promise<Answer> =>
      world.api.as(null).get(`/oauth2/forward-auth?api=${world.keys[0]}`, {
        headers: { 'x-forward-auth-authorization': basic({ username, password: secret }), 'x-forwarded-for': from },
      });
    expect((await form('/oauth2/introspect', 'wrong')).status).toBe(401);
    expect((await form('/oauth2/introspect', 'wrong')).status).toBe(401);
    expect((await form('/oauth2/revoke', 'wrong')).status).toBe(401);
    expect((await forwardAuth('wrong')).status).toBe(503);
    expect((await forwardAuth('wrong')).status).toBe(503);
    expect((await form('/oauth2/introspect', 'wrong')).status).toBe(429);
    const refused = await forwardAuth('wrong');
    expect([refused.status, refused.text]).toStrictEqual([503, '']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(200);
    // the limit is for wrong secrets alone
    expect((await form('/oauth2/introspect', password)).status).toBe(200);
    expect((await forwardAuth(password)).status).toBe(401);
  });

  it('stays limited after a restart', async () => {
    const client = await world.client();
    const from = anAddress();
    const { database } = world.service;
    const third = await startService({ database, env: { ...LIMITS, REDIS_URL: redis.url } });
    try {
      for (let count = 0; count < PER_CLIENT; count += 1) {
        expect((await signIn(from, client.clientId, 'wrong', new Api(third.url))).status).toBe(401);
      }
      await third.kill();
      await third.start();
      expect((await signIn(from, client.clientId, 'wrong', new Api(third.url))).status).toBe(429);
    } finally {
      await third.stop();
    }
  });
});

describe('secret guessing while Redis is unavailable', () => {
  let alone: RedisServer;
  let lonely: OAuthWorld;
  let client: CredentialBody;

  beforeAll(async () => {
    alone = await RedisServer.running();
    lonely = await OAuthWorld.start(1, { env: { ...LIMITS, REDIS_URL: alone.url } });
    client = await lonely.client({ tokenLimitPolicy: 'evict_oldest' });
    await alone.kill();
  });

  afterAll(async () => {
    await alone.start();
    await lonely.stop();
    await alone.kill();
  });

  it('is not limited by Redis: the legitimate client succeeds, a wrong secret fails, and the log has a warning', async () => {
    const from = anAddress();
    expect((await signIn(from, client.clientId, client.clientSecret, lonely.api)).status).toBe(200);
    expect((await signIn(from, client.clientId, 'wrong', lonely.api)).status).toBe(401);
    await lonely.service.logged(({ level, msg }) => level === 'warn' && /Redis is unavailable/.test(msg ?? ''));
    const metrics = await (await fetch(`${lonely.url}/metrics`)).text();
    expect(Number(/^latchkey_guess_limiter_unavailable_total (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThan(0);
  });

  it('is still counted by each instance on its own', async () => {
    const from = anAddress();
    for (let count = 0; count < PER_CLIENT; count += 1) {
      expect((await signIn(from, client.clientId, 'wrong', lonely.api)).status).toBe(401);
    }
    expect((await signIn(from, client.clientId, 'wrong', lonely.api)).status).toBe(429);
    expect((await signIn(from, client.clientId, client.clientSecret, lonely.api)).status).toBe(200);
    expect((await signIn(anAddress(), client.clientId, 'wrong', lonely.api)).status).toBe(401);
  });
});
