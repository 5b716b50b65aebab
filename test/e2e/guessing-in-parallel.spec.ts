import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer, Api } from '../support/api.ts';
import { basic } from '../support/api.ts';
import { aUser, pathOf, unique } from '../support/builders.ts';
import { OAuthWorld } from '../support/oauth-world.ts';
import { RedisServer } from '../support/redis-server.ts';

const PER_CLIENT = 5;
const PER_ADDRESS = 12;
const BURST = 60;

let redis: RedisServer;
let world: OAuthWorld;
let used = 0;

beforeAll(async () => {
  redis = await RedisServer.running();
  world = await OAuthWorld.start(2, {
    env: {
      GUESS_LIMIT_PER_CLIENT: String(PER_CLIENT),
      GUESS_LIMIT_PER_ADDRESS: String(PER_ADDRESS),
      TRUSTED_PROXIES: '127.0.0.1/32', // the tests come from many addresses
      REDIS_URL: redis.url,
    },
  });
});

afterAll(async () => {
  await world.stop();
  await redis.kill();
});

/** An address that nothing has come from yet. */
function anAddress(): string {
  used += 1;
  return `203.0.${Math.floor(used / 250)}.${(used % 250) + 1}`;
}

/** `n` calls at once, in turn at each instance. */
function inParallel(n: number, call: (api: Api, index: number) => Promise<Answer>): Promise<Answer[]> {
  return Promise.all(Array.from({ length: n }, (_, index) => call(world.apis[index % world.apis.length]!, index)));
}

function countOf(answers: readonly Answer[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

function person(api: Api, from: string, username: string, password: string): Promise<Answer> {
  const headers = { authorization: basic({ username, password }), 'x-forwarded-for': from };
  return api.as(null).get('/v1/me', { headers });
}

function client(api: Api, from: string, id: string, secret: string): Promise<Answer> {
  return form(api, '/oauth2/token', 'grant_type=client_credentials', from, [id, secret]);
}

function form(
  api: Api,
  path: string,
  raw: string,
  from: string,
  [username, password]: readonly [string, string],
): Promise<Answer> {
  const headers = {
    authorization: basic({ username, password }),
    'content-type': 'application/x-www-form-urlencoded',
    'x-forwarded-for': from,
  };
  return api.as(null).call('POST', path, { raw, headers });
}

/** Uses up what an address may get wrong, by guesses at ids that there are not. */
async function limitAddress(from: string): Promise<void> {
  const answers = await inParallel(PER_ADDRESS + 3, (api) => client(api, from, unique('id'), 'wrong'));
  expect(countOf(answers)).toStrictEqual({ 401: PER_ADDRESS, 429: 3 });
}

describe('parallel wrong passwords and secrets at two instances', () => {
  it.each([
    ['different passwords', (index: number) => `wrong-${index}-${index}`],
    ['the same password', () => 'wrong-password'],
  ])('get 401 up to the limit and 429 beyond it: %s', async (_what, password) => {
    const { username } = await aUser(world.api, ['auditor']);
    const from = anAddress();
    const answers = await inParallel(BURST, (api, index) => person(api, from, username, password(index)));
    expect(countOf(answers)).toStrictEqual({ 401: PER_CLIENT, 429: BURST - PER_CLIENT });
    expect(Number(answers.find(({ status }) => status === 429)?.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('get 401 for wrong client secrets up to the limit and 429 beyond it', async () => {
    const { clientId } = await world.client();
    const from = anAddress();
    const answers = await inParallel(BURST, (api, index) => client(api, from, clientId, `wrong-${index}`));
    expect(countOf(answers)).toStrictEqual({ 401: PER_CLIENT, 429: BURST - PER_CLIENT });
  });

  it('are limited per address across all ids', () => limitAddress(anAddress()));

  it('do not affect requests with the right password, however many arrive together', async () => {
    const { username, password } = await aUser(world.api, ['auditor']);
    const from = anAddress();
    const answers = await inParallel(BURST, (api) => person(api, from, username, password));
    expect(countOf(answers)).toStrictEqual({ 200: BURST });
  });

  it('are not counted for an attempt that turns out to be right', async () => {
    const { username, password } = await aUser(world.api, ['auditor']);
    const from = anAddress();
    for (let round = 0; round < 3; round += 1) {
      const wrong = await person(world.api, from, username, `wrong-${round}`);
      expect([wrong.status, (await person(world.api, from, username, password)).status]).toStrictEqual([401, 200]);
    }
    const rest = await inParallel(BURST, (api, index) => person(api, from, username, `more-${index}`));
    expect(countOf(rest)[401]).toBe(PER_CLIENT - 3);
  });
});

describe('an address over the limit', () => {
  it('still gets a token, an introspection and a forward-auth decision with the right secret', async () => {
    const right = await world.client({ tokenLimitPolicy: 'evict_oldest' });
    const token = await world.tokenOf(right);
    const { username, password } = world.resourceServer;
    const from = anAddress();
    await limitAddress(from);
    for (const api of world.apis) {
      expect((await client(api, from, right.clientId, right.clientSecret)).status).toBe(200);
      const introspected = await form(api, '/oauth2/introspect', `token=${token}`, from, [username, password]);
      expect(introspected.status).toBe(200);
      const headers = {
        'x-forward-auth-authorization': basic({ username, password }),
        'x-forwarded-for': from,
        authorization: `Bearer ${token}`,
      };
      const verdict = await api.as(null).get(`/oauth2/forward-auth?api=${world.keys[0]}`, { headers });
      expect([200, 204, 401]).toContain(verdict.status);
    }
  });

  it('still gets a token with the right secret of the client whose secret is being guessed', async () => {
    const right = await world.client({ tokenLimitPolicy: 'evict_oldest' });
    const from = anAddress();
    await inParallel(BURST, (api, index) => client(api, from, right.clientId, `wrong-${index}`));
    for (const api of world.apis) {
      expect((await client(api, from, right.clientId, right.clientSecret)).status).toBe(200);
    }
  });

  it('lets a person in with the right password, unless that person’s password is being guessed', async () => {
    const [guessedAt, other] = [await aUser(world.api, ['auditor']), await aUser(world.api, ['auditor'])];
    const from = anAddress();
    expect((await person(world.api, from, guessedAt.username, 'wrong-password')).status).toBe(401);
    const ids = Array.from({ length: PER_ADDRESS }, () => unique('id'));
    for (const id of ids) await client(world.api, from, id, 'wrong');
    for (const api of world.apis) {
      expect((await person(api, from, other.username, other.password)).status).toBe(200);
      expect((await person(api, from, guessedAt.username, guessedAt.password)).status).toBe(429);
    }
    expect((await person(world.api, anAddress(), guessedAt.username, guessedAt.password)).status).toBe(200);
  });

  it('cannot tell an existing client from an unknown one, nor a well-formed wrong secret from a malformed one', async () => {
    const [there, other] = [await world.client(), await world.client()];
    const from = anAddress();
    await limitAddress(from);
    const tried = [
      [there.clientId, other.clientSecret],
      [there.clientId, 'rubbish'],
      ['lk_ci_000000000000000000000000', other.clientSecret],
      ['rubbish', other.clientSecret],
      ['rubbish', 'rubbish'],
    ] as const;
    const answers = await Promise.all(tried.map(([id, secret]) => client(world.api, from, id, secret)));
    expect(answers.map(({ status }) => status)).toStrictEqual(tried.map(() => 429));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  });

  it('cannot tell an existing person from an unknown one', async () => {
    const { username } = await aUser(world.api, ['auditor']);
    const from = anAddress();
    await limitAddress(from);
    for (const name of [username, unique('nobody')]) {
      expect((await person(world.api, from, name, 'wrong-password')).status).toBe(429);
    }
  });
});

describe('a service that keeps asking after its credential was deleted', () => {
  it('counts once towards the limit of its address, and blocks nobody else there', async () => {
    const dead = await world.client();
    const right = await world.client({ tokenLimitPolicy: 'evict_oldest' });
    const admin = await aUser(world.api, ['auditor']);
    expect((await world.api.call('DELETE', pathOf(dead), { ifMatch: '*' })).status).toBe(204);
    const from = anAddress();
    const answers = await inParallel(BURST, (api) => client(api, from, dead.clientId, dead.clientSecret));
    expect(countOf(answers)).toStrictEqual({ 401: PER_CLIENT, 429: BURST - PER_CLIENT });
    expect((await client(world.api, from, right.clientId, right.clientSecret)).status).toBe(200);
    expect((await person(world.api, from, admin.username, admin.password)).status).toBe(200);
    // once on each of the two instances
    const others = await inParallel(PER_ADDRESS - 2, (api) => client(api, from, unique('id'), 'wrong'));
    expect(countOf(others)).toStrictEqual({ 401: PER_ADDRESS - 2 });
  });
});

describe('guesses over IPv6', () => {
  const net = (): string => `2001:db8:${(used += 1).toString(16)}`;

  it('are counted by /64: all addresses in it share one limit', async () => {
    const { clientId } = await world.client();
    const prefix = net();
    const answers = await inParallel(BURST, (api, index) =>
      client(api, `${prefix}:1::${(index + 1).toString(16)}`, clientId, `wrong-${index}`),
    );
    expect(countOf(answers)).toStrictEqual({ 401: PER_CLIENT, 429: BURST - PER_CLIENT });
    expect((await client(world.api, `${prefix}:2::1`, clientId, 'wrong')).status).toBe(401);
  });

  it('are counted by /48 too, with ten times the limit', async () => {
    const { username } = await aUser(world.api, ['auditor']);
    const prefix = net();
    const answers = await inParallel(10 * PER_CLIENT + BURST, (api, index) =>
      client(api, `${prefix}:${(index + 1).toString(16)}::1`, username, `wrong-${index}`),
    );
    expect(countOf(answers)).toStrictEqual({ 401: 10 * PER_CLIENT, 429: BURST });
    expect((await client(world.api, `${net()}:1::1`, username, 'wrong')).status).toBe(401);
  });
});
