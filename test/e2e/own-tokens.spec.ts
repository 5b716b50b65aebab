import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer, CredentialBody } from '../support/api.ts';
import { pathOf } from '../support/builders.ts';
import { OAuthWorld } from '../support/oauth-world.ts';

interface OwnTokens {
  readonly items: readonly { readonly id: string; readonly scope: string; readonly issued_to: string | null }[];
}

describe('a client’s own tokens', () => {
  let world: OAuthWorld;
  beforeAll(async () => {
    world = await OAuthWorld.start(2);
  });
  afterAll(() => world.stop());

  const as = <T = OwnTokens>(client: CredentialBody, method: string, path = ''): Promise<Answer<T>> => {
    const signIn = { username: client.clientId, password: client.clientSecret };
    return world.api.as(signIn).call<T>(method, `/oauth2/tokens${path}`);
  };

  it('are listed, oldest first, without the tokens', async () => {
    const client = await world.client();
    const tokens = [await world.tokenOf(client, world.keys[0]), await world.tokenOf(client)];
    const { status, body, text, headers } = await as(client, 'GET');
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(body.items.map(({ scope, issued_to }) => [scope, issued_to])).toEqual([
      [world.keys[0], '127.0.0.1'],
      [world.keys.join(' '), '127.0.0.1'],
    ]);
    expect(Object.keys(body.items[0]!)).toEqual(['id', 'issued_at', 'expires_at', 'scope', 'issued_to']);
    for (const token of tokens) expect(text).not.toContain(token.slice(-20));
  });

  it('are ended one by one, on every instance when it is answered; ending one again is 404', async () => {
    const client = await world.client();
    const [first, second] = [await world.tokenOf(client), await world.tokenOf(client)];
    for (const token of [first, second]) expect(await world.isActive(token, { instance: 1 })).toBe(true);
    const { id } = (await as(client, 'GET')).body.items[0]!;
    const ended = await as(client, 'DELETE', `/${id}`);
    expect([ended.status, ended.text]).toEqual([204, '']);
    expect(await world.isActive(first, { instance: 1 })).toBe(false);
    expect(await world.isActive(second, { instance: 1 })).toBe(true);
    const again = await as<{ error: string }>(client, 'DELETE', `/${id}`);
    expect([again.status, again.body.error]).toEqual([404, 'invalid_request']);
    const [event] = await world.api.events({ subject: client.id, type: 'token.revoked.v1' });
    expect(event).toMatchObject({ actor: { type: 'client', id: client.clientId }, data: { tokenIds: [id], count: 1 } });
  });

  it('are ended all together, which frees all places', async () => {
    const client = await world.client();
    const tokens: string[] = [];
    for (let count = 0; count < 10; count += 1) tokens.push(await world.tokenOf(client));
    expect((await world.api.token(client)).status).toBe(429);
    expect((await as(client, 'DELETE')).status).toBe(204);
    for (const token of tokens) expect(await world.isActive(token, { instance: 1 })).toBe(false);
    expect((await as(client, 'GET')).body.items).toEqual([]);
    expect((await world.api.token(client)).status).toBe(200);
    expect((await as(client, 'DELETE')).status).toBe(204);
  });

  it('are not another client’s', async () => {
    const [client, other] = [await world.client(), await world.client()];
    const token = await world.tokenOf(other);
    const { id } = (await as(other, 'GET')).body.items[0]!;
    expect((await as(client, 'DELETE', `/${id}`)).status).toBe(404);
    expect((await as(client, 'DELETE')).status).toBe(204);
    expect(await world.isActive(token)).toBe(true);
  });

  it('need the client’s secret, at an allowed address', async () => {
    const client = await world.client();
    const elsewhere = await world.client({ allowedIps: ['192.0.2.0/24'] });
    const disabled = await world.client();
    await world.api.patch(pathOf(disabled), { status: 'disabled' });
    for (const refused of [{ ...client, clientSecret: elsewhere.clientSecret }, elsewhere, disabled]) {
      for (const [method, path] of [
        ['GET', ''],
        ['DELETE', ''],
        ['DELETE', '/tk_x'],
      ] as const) {
        const { status, body } = await as<{ error: string }>(refused, method, path);
        expect([status, body.error]).toEqual([401, 'invalid_client']);
      }
    }
    const { username, password } = world.resourceServer;
    expect((await world.api.as({ username, password }).get('/oauth2/tokens')).status).toBe(401);
    expect((await world.api.as(null).get('/oauth2/tokens')).status).toBe(401);
    const bearer = { headers: { authorization: `Bearer ${await world.tokenOf(client)}` } };
    expect((await world.api.as(null).get('/oauth2/tokens', bearer)).status).toBe(401);
  });

  it.each([
    ['POST', '', 405],
    ['PUT', '/tk_x', 405],
    ['GET', '/tk_x', 405],
    ['GET', '?limit=1', 400],
    ['DELETE', '/a/b', 404],
  ])('answers %s /oauth2/tokens%s with %d', async (method, path, status) => {
    expect((await as(await world.client(), method, path)).status).toBe(status);
  });
});
