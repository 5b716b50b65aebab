import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ADMIN, eventually } from '../support/service.ts';
import { Api, basic } from '../support/api.ts';
import type { CredentialBody } from '../support/api.ts';
import { aResourceServer, aUser, pathOf, unique } from '../support/builders.ts';
import { CompanyProvider } from '../support/company-provider.ts';
import { OAuthWorld, pairOf } from '../support/oauth-world.ts';
import { FORM, basicLine, sendRaw } from '../support/raw-http.ts';

const PUBLIC_URL = 'http://127.0.0.1:1';

/**
 * Uses every kind of secret in every way, also in places where none belongs, and then looks for them wherever the
 * service writes. What is looked for is the part that no one can guess.
 */
let world: OAuthWorld;
let provider: CompanyProvider;

beforeAll(async () => {
  provider = await CompanyProvider.create();
  await provider.start(PUBLIC_URL);
  world = await OAuthWorld.start(1, { env: { ...provider.env, PUBLIC_URL, LOG_LEVEL: 'trace' } });
});

afterAll(async () => {
  await world.stop();
  await provider.stop();
});

describe('no token, secret or password', () => {
  const canaries = new Map<string, string>();
  /** Every error answer that came. */
  const answers: string[] = [];

  const plant = (what: string, secret: string): string => {
    canaries.set(`${what} ${canaries.size}`, secret.replace(/^lk_(?:at_.{24}|cs_|rs_|ak_|ss_)/, ''));
    return secret;
  };

  beforeAll(async () => {
    plant('admin password', ADMIN.password);
    plant('resource-server secret', world.resourceServer.password);
    await useAll();
    await signInAll();
    await misplaceAll();
    await reportAll();
    // the purge of the deleted, and the sums of refusals
    await eventually(async () => (await world.api.events({ type: 'tokens.purged.v1' })).length > 0);
    await eventually(async () => (await world.api.events({ type: 'sign-in.refused.v1' })).length > 0);
  }, 60_000);

  async function aClient(): Promise<{ client: CredentialBody; token: string }> {
    const client = await world.client({ tokenLimitPolicy: 'evict_oldest' });
    plant('client secret', client.clientSecret);
    return { client, token: plant('token', await world.tokenOf(client)) };
  }

  /** As they are meant. */
  async function useAll(): Promise<void> {
    const { client, token } = await aClient();
    await world.api.introspect(world.resourceServer, token);
    await world.api.introspect({ username: client.clientId, password: client.clientSecret }, token);
    const forward = { authorization: `Bearer ${token}`, 'x-forward-auth-authorization': basic(world.resourceServer) };
    await world.api.as(null).get(`/oauth2/forward-auth?api=${world.keys[0]}`, { headers: forward });
    const rotated = await world.api.post(
      `${pathOf(client)}/rotate-secret`,
      { overlapSeconds: 60 },
      { idempotencyKey: 'rotation' },
    );
    plant('rotated secret', rotated.body['clientSecret'] as string);
    await world.api.get(`${pathOf(client)}/tokens`);
    await world.api.revoke(client, plant('revoked token', await world.tokenOf(client)));
    const person = await aUser(world.api, ['auditor']);
    plant('password', person.password);
    await world.api.as(person).get('/v1/me');
    await world.api.patch(`/v1/users/${person.id}`, { password: plant('new password', 'a brand new passphrase') });
    await world.api.post('/v1/operations', { name: 'remembered' }, { idempotencyKey: 'made once' });
    const { id } = await aResourceServer(world.api, world.keys);
    const renewed = await world.api.post(`/v1/resource-servers/${id}/rotate-secret`, {});
    plant('rotated resource-server secret', renewed.body['resourceServerSecret'] as string);
    await world.api.delete(pathOf(client));
    const compromised = await aClient();
    await world.api.post(`${pathOf(compromised.client)}/rotate-secret`, { compromised: true });
    await world.api.delete(`${pathOf(compromised.client)}/tokens`);
  }

  /** An API key of a new service user, which it has used. */
  async function aKey(): Promise<string> {
    const robot = { username: unique('robot'), kind: 'service', roles: ['auditor'] };
    const { body } = await world.api.post<{ id: string }>('/v1/users', robot);
    const made = await world.api.post<{ apiKey: string }>(`/v1/users/${body.id}/keys`, { name: 'CI' });
    const key = plant('API key', made.body.apiKey);
    expect((await world.api.as({ bearer: key }).get('/v1/me')).status).toBe(200);
    return key;
  }

  async function aSession(): Promise<string> {
    const person = await aUser(world.api, ['auditor']);
    plant('password', person.password);
    const session = await world.api.inSession(person);
    expect((await session.get('/v1/me/sessions')).status).toBe(200);
    return plant('session cookie', session.headers['cookie']!.split('=')[1]!);
  }

  /** People and service users: by session, by API key, and at the company's provider. */
  async function signInAll(): Promise<void> {
    await aKey();
    await aSession();
    const start = await world.api.as(null).get('/auth/oidc/start?returnTo=/docs');
    const flow = start.headers.getSetCookie()[0]!.split(';')[0]!;
    plant('cookie of the flow', flow.split('=')[1]!);
    const asked = new URL(start.headers.get('location')!);
    for (const name of ['state', 'nonce']) plant(name, asked.searchParams.get(name)!);
    provider.groups.set('ada', ['auditor']);
    const back = await provider.signIn(asked.href, 'ada');
    plant('code', new URL(back).searchParams.get('code')!);
    const path = back.slice(PUBLIC_URL.length);
    const ended = await world.api.as(null).get(path, { headers: { cookie: flow } });
    expect(ended.status).toBe(303);
    const session = ended.headers.getSetCookie().find((cookie) => cookie.includes('lk_ss_'))!;
    plant('session cookie of the provider', session.split(';')[0]!.split('=')[1]!);
    expect(provider.issued.length).toBeGreaterThanOrEqual(3);
    for (const secret of provider.issued) plant('of the provider', secret);
    // the code again, another state, and a code that never was
    for (const again of [path, path.replace('state=', 'state=x'), path.replace('code=', 'code=x')]) {
      answers.push((await world.api.as(null).get(again, { headers: { cookie: flow } })).text);
    }
    const bearer = plant('bearer token', await provider.bearer('ada'));
    expect((await world.api.as({ bearer }).get('/v1/me')).status).toBe(200);
    answers.push((await world.api.as({ bearer: `${bearer}x` }).get('/v1/me')).text);
  }

  /** What leaked is told to the service, rightly and wrongly, and ends. */
  async function reportAll(): Promise<void> {
    const { client, token } = await aClient();
    const server = plant('leaked secret', (await aResourceServer(world.api, world.keys)).password);
    const texts = [token, client.clientSecret, server, await aKey(), await aSession()];
    for (const text of texts) {
      const reports = [
        await world.api.post('/v1/leaks', { text: `${text}x`, revoke: true }),
        await world.api.post('/v1/leaks', { text }, { idempotencyKey: 'a report' }),
        await world.api.post('/v1/leaks', { text, revoke: true }),
        await world.api.post('/v1/leaks', { text: [text] }),
        await world.api.post('/v1/leaks', { text, revoke: text }),
        await world.api.post('/v1/leaks', { text: text.padEnd(5_000, 'x') }),
        await world.api.call('POST', '/v1/leaks', { raw: `{"text": ${text}` }),
        await world.api.get(`/v1/leaks?text=${text}`),
        await world.api.as(null).post('/v1/leaks', { text }),
        await world.api.as({ bearer: text }).get('/v1/me'),
      ];
      expect(reports[2]!.body).toMatchObject({ revoked: true });
      answers.push(...reports.map((report) => report.text));
    }
  }

  /** As they are not meant: a typing error, a wrong field, a guess. */
  async function misplaceAll(): Promise<void> {
    const { client, token } = await aClient();
    const secret = client.clientSecret;
    const password = plant('mistyped password', 'correct horse battery stapel');
    const form = async (path: string, as: string | readonly string[], body: string): Promise<void> => {
      answers.push((await world.form(path, as, body)).body);
    };
    for (const misplaced of [secret, token]) {
      await form('/oauth2/token', `${misplaced}:${misplaced}`, 'grant_type=client_credentials');
      await form('/oauth2/token', pairOf(client), `grant_type=${misplaced}`);
      await form('/oauth2/token', pairOf(client), `grant_type=client_credentials&scope=${misplaced}`);
      await form('/oauth2/token', pairOf(client), `grant_type=client_credentials&client_id=${misplaced}`);
      await form('/oauth2/token', pairOf(client), `grant_type=client_credentials&client_secret=${misplaced}`);
      await form('/oauth2/token', [`Authorization: ${misplaced}`], `${misplaced}=%`);
      await form('/oauth2/token', [`Authorization: Basic ${misplaced}`], '');
      await form(`/oauth2/token?client_secret=${misplaced}`, pairOf(client), '');
      await form('/oauth2/introspect', pairOf(client), `token=${misplaced}x&client_ip=${misplaced}`);
      await form('/oauth2/revoke', pairOf(await world.client()), `token=${token}`);
      const headers = { authorization: `Bearer ${misplaced}`, 'x-forward-auth-client-ip': misplaced };
      answers.push((await world.api.as(null).get(`/oauth2/forward-auth?api=${misplaced}`, { headers })).text);
      answers.push((await world.api.as({ username: misplaced, password: misplaced }).get('/v1/me')).text);
      answers.push(
        (await world.api.as(null).get('/v1/me', { headers: { authorization: `Bearer ${misplaced}` } })).text,
      );
      const admin = [
        await world.api.get(`/v1/operations/${misplaced}`),
        await world.api.get(`/v1/operations?cursor=${misplaced}`),
        await world.api.get(`/v1/events?type=${misplaced}&from=${misplaced}`),
        await world.api.get(`/${misplaced}`),
        await world.api.delete(`${pathOf(client)}/tokens/${misplaced}`),
        await world.api.post('/v1/operations', { secret: misplaced, requireAllowedIps: misplaced }),
        await world.api.call('POST', '/v1/operations', { raw: `{"name": ${misplaced}` }),
        await world.api.patch(pathOf(client), { allowedIps: [misplaced], apis: [misplaced] }),
        await world.api.patch(pathOf(client), { description: 'x' }, { ifMatch: misplaced }),
        await world.api.post('/v1/operations', {}, { idempotencyKey: misplaced }),
        await world.api.get('/v1/me', {
          headers: { 'x-request-id': misplaced, 'user-agent': misplaced, accept: misplaced },
        }),
      ];
      answers.push(...admin.map(({ text }) => text));
      answers.push((await sendRaw(world.url, { target: `/x ${misplaced}`, headers: [misplaced] })).body);
      answers.push(
        (await sendRaw(world.url, { target: '/', headers: [FORM, basicLine(misplaced), basicLine(misplaced)] })).body,
      );
    }
    answers.push((await world.api.as({ username: ADMIN.username, password }).get('/v1/me')).text);
    answers.push((await new Api(world.url, { username: ADMIN.username, password: `${password}:` }).get('/v1/me')).text);
  }

  /** Which of the canaries are in the text. */
  function found(text: string): string[] {
    const encoded = (secret: string): string[] => [
      secret,
      encodeURIComponent(secret),
      ...[0, 1, 2].map((at) =>
        Buffer.from(secret)
          .toString('base64')
          .slice(4 + at, -6),
      ),
    ];
    return [...canaries]
      .filter(([, secret]) => encoded(secret).some((form) => text.includes(form)))
      .map(([what]) => what);
  }

  it('is in a log line at the most verbose level; each line is one JSON object', () => {
    const { lines, stderr } = world.service;
    expect(lines.length).toBeGreaterThan(50);
    for (const line of lines) expect(typeof JSON.parse(line)).toBe('object');
    expect(found(`${lines.join('\n')}\n${stderr}`)).toStrictEqual([]);
  });

  it('is in a metric', async () => {
    const text = await (await fetch(`${world.url}/metrics`)).text();
    expect(text).toContain('latchkey_tokens_issued_total');
    expect(found(text)).toStrictEqual([]);
    expect(text).not.toContain('lk_');
  });

  it('is in an event, listed or exported', async () => {
    const events = JSON.stringify(await world.api.events({}));
    const exported = await world.api.get('/v1/events/export?format=ndjson');
    expect(events).toContain('token.issued.v1');
    expect(exported.text).toContain('token.issued.v1');
    expect(found(events + exported.text)).toStrictEqual([]);
  });

  it('is in an error response', () => {
    expect(answers.length).toBeGreaterThan(50);
    expect(found(answers.join('\n'))).toStrictEqual([]);
  });

  it('is in a document of MongoDB, outbox and idempotency keys included', async () => {
    const { database } = world.service;
    const all = await database.collections();
    expect(all).toStrictEqual(
      expect.arrayContaining(['credentials', 'tokens', 'events', 'users', 'outbox', 'refusals']),
    );
    for (const name of all) {
      const documents = JSON.stringify(await (await database.collection(name)).find().toArray());
      expect([name, ...found(documents)]).toStrictEqual([name]);
    }
  });

  it('is in a key or value of Redis', async () => {
    const redis = new Redis(world.service.database.redisUrl);
    const parts: string[] = [];
    for (const key of await redis.keys(`*${world.service.database.name}*`)) {
      const type = await redis.type(key);
      const value = {
        string: () => redis.get(key),
        hash: () => redis.hgetall(key),
        list: () => redis.lrange(key, 0, -1),
        set: () => redis.smembers(key),
        zset: () => redis.call('zrange', key, '0', '-1'),
        stream: () => redis.xrange(key, '-', '+'),
      }[type];
      if (value === undefined) throw new Error(`a key of type ${type}`);
      parts.push(key, JSON.stringify(await value()));
    }
    redis.disconnect();
    expect(parts.length).toBeGreaterThan(10);
    expect(found(parts.join('\n'))).toStrictEqual([]);
  });

  it('is in the arguments of the process', () => {
    expect(found(readFileSync(`/proc/${world.service.pid}/cmdline`, 'latin1'))).toStrictEqual([]);
  });
});

describe('the log', () => {
  it('is one JSON object per line, for any header or address', async () => {
    const evil = ['\u0000', '\t', '"}', '\u2028', '\u001b[31m', '%0A{"level":"fatal"}', '\u00e4\u00ff'];
    for (const text of evil) {
      const headers = [
        `User-Agent: ${text}`,
        `X-Request-Id: ${text}`,
        `Referer: ${text}`,
        `X-Forwarded-For: ${text}`,
        `Authorization: ${text}`,
      ];
      await sendRaw(world.url, { method: 'GET', target: `/v1/operations/${encodeURIComponent(text)}`, headers }).catch(
        () => undefined,
      );
      await sendRaw(world.url, { target: '/oauth2/token', headers: [FORM, ...headers], body: text });
    }
    await world.api.get('/v1/me', { headers: { 'x-request-id': 'the-last-one' } });
    await world.service.logged((line) => line['requestId'] === 'the-last-one');
    for (const line of world.service.lines) {
      expect(typeof JSON.parse(line)).toBe('object');
      expect(line).not.toContain('"fatal"');
    }
  });

  it.each([
    ['abc', true],
    ['A-Z_a.z-0', true],
    ['x'.repeat(64), true],
    ['x'.repeat(65), false],
    ['a b', false],
    ['a/b', false],
    ['a"b', false],
    ['', false],
    ['\u00e4', false],
    ['a,b', false],
  ])('accepts the inbound request id %j: %s', async (id, taken) => {
    const target = '/oauth2/token';
    const { headers } = await sendRaw(world.url, { target, headers: [FORM, `X-Request-Id: ${id}`], body: '' });
    const given = headers.get('x-request-id');
    if (taken) expect(given).toBe(id);
    else expect(given).toMatch(/^[0-9a-f-]{36}$/);
    const twice = await sendRaw(world.url, {
      target,
      headers: [FORM, `X-Request-Id: ${id}`, `X-Request-Id: ${id}`],
      body: '',
    });
    expect(twice.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});
