import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer, CredentialBody } from '../support/api.ts';
import { aResourceServer, anApi, pathOf } from '../support/builders.ts';
import { OAuthWorld, errorOf, pairOf } from '../support/oauth-world.ts';
import { FORM, sendRaw } from '../support/raw-http.ts';
import type { RawAnswer } from '../support/raw-http.ts';
import { eventually } from '../support/service.ts';

const INACTIVE = '{"active":false}';

let world: OAuthWorld;
let client: CredentialBody;
let token: string;
const asServer = (): string => `${world.resourceServer.username}:${world.resourceServer.password}`;
/** Introspects, byte for byte. */
const ask = (body: string, as: string | readonly string[] = asServer()): Promise<RawAnswer> =>
  world.form('/oauth2/introspect', as, body);
const verdict = (about: string, clientIp?: string): Promise<Answer> =>
  world.api.introspect(world.resourceServer, about, clientIp);

beforeAll(async () => {
  world = await OAuthWorld.start(2, { env: { PUBLIC_URL: 'https://latchkey.example/at/a/path/' } });
  client = await world.client({ tokenLimitPolicy: 'evict_oldest' });
  token = await world.tokenOf(client);
});

afterAll(() => world.stop());

describe('POST /oauth2/introspect', () => {
  it('answers exactly the documented members for a valid token', async () => {
    const answer = await ask(`token=${token}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('pragma')).toBe('no-cache');
    const body = JSON.parse(answer.body) as Record<string, number>;
    expect(body).toStrictEqual({
      active: true,
      client_id: client.clientId,
      sub: client.clientId,
      scope: world.keys.join(' '),
      token_type: 'Bearer',
      iat: expect.any(Number),
      exp: Number(body['iat']) + 3600,
      iss: 'https://latchkey.example/at/a/path',
      aud: world.keys,
    });
    expect(Math.abs(Number(body['iat']) - Date.now() / 1000)).toBeLessThan(600);
  });

  describe('callers', () => {
    it('include lua-resty-openidc, if it is configured as in docs/gateways.md', async () => {
      const { username, password } = world.resourceServer;
      const sent = `token=${token}&client_id=${username}&client_secret=`;
      const { status, body } = await ask(`${sent}${password}`);
      expect([status, body]).toEqual([400, expect.stringContaining('without a client_secret in the body')]);
      expect(JSON.parse((await ask(`${sent}&client_ip=127.0.0.1`)).body)).toMatchObject({ active: true });
    });

    it('get 401 and a challenge without authentication, with a token, or with a wrong secret', async () => {
      const { username } = world.resourceServer;
      const wrong = [[], [`Authorization: Bearer ${token}`], `${username}:x`, 'x:y', `${client.clientId}:x`];
      for (const as of wrong) {
        const answer = await ask(`token=${token}`, as);
        expect(errorOf(answer)).toBe('401 invalid_client');
        expect(answer.headers.get('www-authenticate')).toBe('Basic realm="latchkey", charset="UTF-8"');
      }
      const inBody = await ask(
        `token=${token}&client_id=${username}&client_secret=${world.resourceServer.password}`,
        [],
      );
      expect(errorOf(inBody)).toBe('401 invalid_client');
    });

    it('that are resource servers see only their own APIs', async () => {
      const narrow = await aResourceServer(world.api, [world.keys[1]]);
      const { body } = await world.api.introspect(narrow, token);
      expect(body).toMatchObject({ active: true, scope: world.keys[1], aud: [world.keys[1]] });
      const foreign = await aResourceServer(world.api, [(await anApi(world.api)).key]);
      expect((await world.api.introspect(foreign, token)).text).toBe(INACTIVE);
    });

    it('that are clients see only their own tokens', async () => {
      const other = await world.client();
      const own = await ask(`token=${token}`, pairOf(client));
      expect(JSON.parse(own.body)).toMatchObject({ active: true, client_id: client.clientId });
      const foreign = await ask(`token=${token}`, pairOf(other));
      expect([foreign.status, foreign.body]).toStrictEqual([200, INACTIVE]);
    });

    it('that are deleted resource servers, or use an old secret, are refused', async () => {
      const { id, username, password } = await aResourceServer(world.api, world.keys);
      expect((await world.api.introspect({ username, password }, token)).body['active']).toBe(true);
      const rotated = await world.api.post(`/v1/resource-servers/${id}/rotate-secret`, {});
      expect(rotated.status).toBe(200);
      for (const api of world.apis) expect((await api.introspect({ username, password }, token)).status).toBe(401);
      const renewed = { username, password: rotated.body['resourceServerSecret'] as string };
      expect((await world.api.introspect(renewed, token)).body['active']).toBe(true);
      expect((await world.api.delete(`/v1/resource-servers/${id}`)).status).toBe(204);
      for (const api of world.apis) expect((await api.introspect(renewed, token)).status).toBe(401);
    });
  });

  describe('an invalid token', () => {
    it('gets 200 and exactly {"active":false}, the same bytes for every reason', async () => {
      const revoked = await world.tokenOf(client);
      await world.api.revoke(client, revoked);
      const narrow = await world.client({ apis: [world.keys[0]] });
      const unentitled = await world.tokenOf(narrow);
      const foreign = await aResourceServer(world.api, [world.keys[1]]);
      const brief = await world.client();
      const expired = await world.tokenOf(brief);
      const tokens = await world.service.database.collection('tokens');
      await tokens.updateMany({ clientId: brief.clientId }, { $set: { expiresAt: new Date(Date.now() - 1) } });
      await eventually(async () => !(await world.isActive(expired)));
      const deleted = await world.client();
      const dead = await world.tokenOf(deleted);
      await world.api.delete(pathOf(deleted));
      const flip = (at: number): string => token.slice(0, at) + (token[at] === 'a' ? 'b' : 'a') + token.slice(at + 1);

      const answers = {
        rubbish: await ask('token=rubbish'),
        'the id of a client': await ask(`token=${client.clientId}`),
        'a secret': await ask(`token=${client.clientSecret}`),
        revoked: await ask(`token=${revoked}`),
        expired: await ask(`token=${expired}`),
        'its credential deleted': await ask(`token=${dead}`),
        'none of the asker’s business': await ask(`token=${unentitled}`, `${foreign.username}:${foreign.password}`),
        'the first bit of the random part': await ask(`token=${flip(30)}`),
        'the last of the checksum': await ask(`token=${flip(78)}`),
        'of the handle': await ask(`token=${flip(6)}`),
        'of the prefix': await ask(`token=${flip(3)}`),
        'upper case': await ask(`token=${token.toUpperCase()}`),
        'a space after': await ask(`token=${token}+`),
        'a space before': await ask(`token=+${token}`),
        'a line feed after': await ask(`token=${token}%0A`),
        'a NUL after': await ask(`token=${token}%00`),
        'with its scheme': await ask(`token=Bearer+${token}`),
        'twice in one': await ask(`token=${token}${token}`),
        'a part of it': await ask(`token=${token.slice(0, -1)}`),
        'full-width letters': await ask(`token=${encodeURIComponent(token.replace('l', '\uff4c'))}`),
        __proto__: await ask('token=__proto__'),
        'a query operator': await ask(`token=${encodeURIComponent('{"$ne":null}')}`),
        'almost 16 KiB of it': await ask(`token=${'a'.repeat(16_000)}`),
      };
      const [one] = Object.values(answers);
      const bytes = ({ status, headerLines, body }: RawAnswer): string =>
        [status, ...headerLines.filter((line) => !/^(date|x-request-id):/i.test(line)), body].join('\n');
      for (const [what, answer] of Object.entries(answers)) {
        expect({ what, body: answer.body }).toStrictEqual({ what, body: INACTIVE });
        expect({ what, bytes: bytes(answer) }).toStrictEqual({ what, bytes: bytes(one!) });
      }
      expect((await verdict(token)).body['active']).toBe(true);
    });

    it('that is too long gets 413', async () => {
      expect(errorOf(await ask(`token=${'a'.repeat(100_000)}`))).toBe('413 invalid_request');
    });
  });

  describe('the parameters', () => {
    it.each([
      ['missing', 'x=y'],
      ['empty', 'token='],
      ['twice', 'token=a&token=b'],
      ['no body', ''],
      ['an array by its name', 'token[]=a'],
    ])('refuse token %s with 400', async (_what, body) => {
      expect(errorOf(await ask(body))).toBe('400 invalid_request');
    });

    it.each(['access_token', 'refresh_token', 'pet_name', '', '%00', 'a&resource=x'])(
      'ignore any token_type_hint: %j',
      async (hint) => {
        expect(JSON.parse((await ask(`token=${token}&token_type_hint=${hint}`)).body)).toMatchObject({ active: true });
      },
    );

    it('must come in a POST form, with nothing in the query', async () => {
      const line = [FORM, `Authorization: Basic ${Buffer.from(asServer()).toString('base64')}`];
      const get = await sendRaw(world.url, {
        method: 'GET',
        target: `/oauth2/introspect?token=${token}`,
        headers: line,
      });
      expect([errorOf(get), get.headers.get('allow')]).toStrictEqual(['405 invalid_request', 'POST']);
      const query = await sendRaw(world.url, { target: `/oauth2/introspect?token=${token}`, headers: line, body: '' });
      expect(errorOf(query)).toBe('400 invalid_request');
      const json = ['Content-Type: application/json', line[1]!];
      const asJson = await sendRaw(world.url, {
        target: '/oauth2/introspect',
        headers: json,
        body: JSON.stringify({ token }),
      });
      expect(errorOf(asJson)).toBe('400 invalid_request');
    });
  });

  describe('Allowed IPs', () => {
    let bound: CredentialBody;
    let boundToken: string;

    beforeAll(async () => {
      bound = await world.client({ allowedIps: ['127.0.0.1', '10.1.0.0/16', '2001:db8::/32'] });
      boundToken = await world.tokenOf(bound);
    });

    it.each([
      ['10.1.2.3', true],
      ['10.2.0.0', false],
      ['::ffff:10.1.2.3', true],
      ['2001:db8::1', true],
      ['2001:DB8:0:0:0:0:0:1', true],
      ['2001:db9::1', false],
      ['127.0.0.1', true],
      ['', false],
      ['10.1.2', false],
      ['010.1.2.3', false],
      ['10.1.2.3:80', false],
      ['10.1.2.3 ', false],
      ['10.1.2.3,10.1.2.3', false],
      ['0', false],
      ['rubbish', false],
    ])('are checked for client_ip=%s', async (clientIp, active) => {
      const answer = await verdict(boundToken, clientIp);
      expect([answer.status, answer.body['active'], answer.body['allowed_ips']]).toStrictEqual([
        200,
        active,
        undefined,
      ]);
    });

    it('make a token inactive without client_ip, unless the resource server cannot send it: then it gets the list', async () => {
      expect((await verdict(boundToken)).text).toBe(INACTIVE);
      const simple = await aResourceServer(world.api, world.keys, { requireClientIp: false });
      const told = await world.api.introspect(simple, boundToken);
      expect(told.body).toMatchObject({ active: true, allowed_ips: ['127.0.0.1', '10.1.0.0/16', '2001:db8::/32'] });
      expect((await world.api.introspect(simple, token)).body).not.toHaveProperty('allowed_ips');
      expect((await world.api.introspect(simple, boundToken, '10.2.0.0')).text).toBe(INACTIVE);
      const right = await world.api.introspect(simple, boundToken, '10.1.0.0');
      expect(right.body).toMatchObject({ active: true });
      expect(right.body).not.toHaveProperty('allowed_ips');
    });

    it('accept any valid client_ip for a credential without Allowed IPs, but no malformed one', async () => {
      expect((await verdict(token, '192.0.2.1')).body['active']).toBe(true);
      expect((await verdict(token, 'rubbish')).text).toBe(INACTIVE);
    });

    it('are checked against the caller’s own address when a client introspects its own token', async () => {
      const asker = await world.client({ allowedIps: ['127.0.0.1'] });
      const asked = await world.tokenOf(asker);
      const own = (): Promise<RawAnswer> => ask(`token=${asked}`, pairOf(asker));
      expect(JSON.parse((await own()).body)).toMatchObject({ active: true });
      await world.api.patch(pathOf(asker), { allowedIps: ['192.0.2.1'] });
      expect((await own()).body).toBe(INACTIVE);
    });
  });
});
