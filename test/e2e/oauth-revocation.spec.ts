import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { CredentialBody } from '../support/api.ts';
import { pathOf } from '../support/builders.ts';
import { OAuthWorld, errorOf, pairOf } from '../support/oauth-world.ts';
import { FORM, sendRaw } from '../support/raw-http.ts';
import type { RawAnswer } from '../support/raw-http.ts';
import { eventually } from '../support/service.ts';

let world: OAuthWorld;
let client: CredentialBody;
let token: string;
const revoke = (body: string, as: string | readonly string[] = pairOf(client)): Promise<RawAnswer> =>
  world.form('/oauth2/revoke', as, body);

beforeAll(async () => {
  world = await OAuthWorld.start(2);
});

beforeEach(async () => {
  client = await world.client();
  token = await world.tokenOf(client);
});

afterAll(() => world.stop());

describe('POST /oauth2/revoke', () => {
  it('revokes the client’s own token immediately, on every instance, with one event', async () => {
    expect(await world.isActive(token, { instance: 1 })).toBe(true);
    const answer = await revoke(`token=${token}`);
    expect([answer.status, answer.body, answer.headers.get('cache-control')]).toStrictEqual([200, '', 'no-store']);
    for (const instance of [0, 1]) expect(await world.isActive(token, { instance })).toBe(false);
    const events = await world.api.events({ type: 'token.revoked.v1', subject: client.id });
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      actor: { type: 'client', id: client.clientId, ip: '127.0.0.1' },
      data: { count: 1 },
    });
  });

  it('answers 200 for a token that is already revoked or malformed, without another event', async () => {
    const nonsense = [
      'rubbish',
      '__proto__',
      client.clientId,
      client.clientSecret,
      '%00',
      `${token}x`,
      'a'.repeat(16_000),
    ];
    for (const text of [token, token, ...nonsense]) {
      const answer = await revoke(`token=${text}`);
      expect([answer.status, answer.body]).toStrictEqual([200, '']);
    }
    expect(await world.api.events({ type: 'token.revoked.v1', subject: client.id })).toHaveLength(1);
  });

  it.each(['access_token', 'refresh_token', 'x', ''])('ignores token_type_hint=%s', async (hint) => {
    expect((await revoke(`token=${token}&token_type_hint=${hint}`)).status).toBe(200);
    expect(await world.isActive(token)).toBe(false);
  });

  it('refuses to revoke another client’s live token with 400, which is logged', async () => {
    const other = await world.client();
    expect(errorOf(await revoke(`token=${token}`, pairOf(other)))).toBe('400 invalid_request');
    expect(await world.isActive(token)).toBe(true);
    await eventually(async () => {
      const events = await world.api.events({ type: 'sign-in.refused.v1', subject: other.id });
      return events.some(({ data, outcome }) => data['reason'] === 'foreign-token' && outcome === 'refused');
    });
  });

  it('answers 200 for another client’s expired or revoked token, like for an unknown one', async () => {
    const other = await world.client();
    await revoke(`token=${token}`);
    expect((await revoke(`token=${token}`, pairOf(other))).status).toBe(200);
  });

  it('frees one of the ten slots', async () => {
    for (let count = 1; count < 10; count += 1) await world.tokenOf(client);
    expect((await world.api.token(client)).status).toBe(429);
    await revoke(`token=${token}`);
    expect((await world.api.token(client)).status).toBe(200);
    expect((await world.api.token(client)).status).toBe(429);
  });

  it('revokes a token permanently, also one without any scope left at that moment', async () => {
    await world.api.delete(`${pathOf(client)}/apis`);
    expect(await world.isActive(token)).toBe(false);
    expect((await revoke(`token=${token}`)).status).toBe(200);
    await world.api.put(`${pathOf(client)}/apis`, { apis: world.keys });
    for (const instance of [0, 1]) expect(await world.isActive(token, { instance })).toBe(false);
    expect(await world.api.events({ type: 'token.revoked.v1', subject: client.id })).toHaveLength(1);
  });

  it('counts two simultaneous revocations at two instances as one, and neither is answered while the token is active', async () => {
    await Promise.all(
      world.apis.map(async (api) => {
        expect((await api.revoke(client, token)).status).toBe(200);
        for (const instance of [0, 1]) expect(await world.isActive(token, { instance })).toBe(false);
      }),
    );
    expect(await world.api.events({ type: 'token.revoked.v1', subject: client.id })).toHaveLength(1);
  });

  it.each([
    ['missing', 'x=y'],
    ['empty', 'token='],
    ['twice', 'token=a&token=b'],
    ['no form', 'token=%'],
  ])('refuses token %s with 400', async (_what, body) => {
    expect(errorOf(await revoke(body))).toBe('400 invalid_request');
  });

  it('answers 401 to everyone but clients', async () => {
    const { username, password } = world.resourceServer;
    for (const as of [[], [`Authorization: Bearer ${token}`], `${client.clientId}:x`, `${username}:${password}`]) {
      const answer = await revoke(`token=${token}`, as);
      expect(errorOf(answer)).toBe('401 invalid_client');
      expect(answer.headers.get('www-authenticate')).toBe('Basic realm="latchkey", charset="UTF-8"');
    }
    expect(await world.isActive(token)).toBe(true);
  });

  it('accepts only a POST form, with nothing in the query', async () => {
    const auth = `Authorization: Basic ${Buffer.from(pairOf(client)).toString('base64')}`;
    const target = `/oauth2/revoke?token=${token}`;
    const get = await sendRaw(world.url, { method: 'GET', target, headers: [FORM, auth] });
    expect([errorOf(get), get.headers.get('allow')]).toStrictEqual(['405 invalid_request', 'POST']);
    expect(errorOf(await sendRaw(world.url, { target, headers: [FORM, auth], body: '' }))).toBe('400 invalid_request');
    expect(await world.isActive(token)).toBe(true);
  });
});
