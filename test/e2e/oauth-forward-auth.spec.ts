import { METHODS } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CredentialBody } from '../support/api.ts';
import { aResourceServer, anApi, pathOf } from '../support/builders.ts';
import { OAuthWorld } from '../support/oauth-world.ts';
import { RawConnection, rawRequest, sendRaw } from '../support/raw-http.ts';
import type { RawAnswer, RawRequest } from '../support/raw-http.ts';

const NO_TOKEN = 'Bearer realm="latchkey"';
const BAD_TOKEN = 'Bearer realm="latchkey", error="invalid_token"';
const NOT_GRANTED = 'Bearer realm="latchkey", error="insufficient_scope"';

let world: OAuthWorld;
let client: CredentialBody;
let token: string;
const gateway = ({ username, password } = world.resourceServer): string =>
  `X-Forward-Auth-Authorization: Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
const ask = (caller: readonly string[], request: Partial<RawRequest> = {}): Promise<RawAnswer> =>
  sendRaw(world.url, {
    method: 'GET',
    target: `/oauth2/forward-auth?api=${world.keys[0]}`,
    headers: [gateway(), ...caller],
    ...request,
  });
const bearer = (of = token): string => `Authorization: Bearer ${of}`;
const verdictOf = ({ status, headers }: RawAnswer): string =>
  `${status} ${headers.get('www-authenticate') ?? ''}`.trim();

beforeAll(async () => {
  world = await OAuthWorld.start(2);
  client = await world.client();
  token = await world.tokenOf(client);
});

afterAll(() => world.stop());

describe('GET /oauth2/forward-auth', () => {
  it('accepts a valid token, and names its client', async () => {
    const answer = await ask([bearer()]);
    expect([answer.status, answer.body]).toStrictEqual([204, '']);
    expect(answer.headers.get('x-auth-client-id')).toBe(client.clientId);
    expect(answer.headers.get('x-auth-operation-id')).toBe(client.operationId);
    expect(answer.headers.get('x-auth-scope')).toBe(world.keys.join(' '));
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it('shows a gateway only the APIs that it serves', async () => {
    const narrow = await aResourceServer(world.api, [world.keys[0]]);
    const answer = await ask([], { headers: [gateway(narrow), bearer()] });
    expect(answer.headers.get('x-auth-scope')).toBe(world.keys[0]);
    const other = { headers: [gateway(narrow), bearer()], target: `/oauth2/forward-auth?api=${world.keys[1]}` };
    expect(verdictOf(await ask([], other))).toBe(`403 ${NOT_GRANTED}`);
  });

  it('answers every HTTP method alike', async () => {
    const methods = METHODS.filter((method) => method !== 'CONNECT'); // asks for a tunnel, which is closed
    for (const method of methods) {
      const answers = [
        await ask([bearer()], { method }),
        await ask([], { method }),
        await ask([bearer('x')], { method }),
      ];
      expect([method, ...answers.map(verdictOf)]).toStrictEqual([method, '204', `401 ${NO_TOKEN}`, `401 ${BAD_TOKEN}`]);
    }
  });

  it.each([
    ['no token', [], `401 ${NO_TOKEN}`],
    ['another scheme', ['Authorization: Basic YTpi'], `401 ${NO_TOKEN}`],
    ['an empty header', ['Authorization: '], `401 ${BAD_TOKEN}`],
    ['no token after the scheme', ['Authorization: Bearer'], `401 ${BAD_TOKEN}`],
    ['rubbish', [bearer.bind(null, 'rubbish')], `401 ${BAD_TOKEN}`],
    ['characters that no token has', ['Authorization: Bearer a"b'], `401 ${BAD_TOKEN}`],
    ['bytes above 127', ['Authorization: Bearer \u00e4\u00ff'], `401 ${BAD_TOKEN}`],
    ['two tokens in the line', [() => `${bearer()} ${token}`], `401 ${BAD_TOKEN}`],
    ['a list', [() => `${bearer()}, ${token}`], `401 ${BAD_TOKEN}`],
    ['two lines', [bearer, bearer], `401 ${BAD_TOKEN}`],
    ['a bit changed', [() => `${bearer().slice(0, -1)}!`], `401 ${BAD_TOKEN}`],
    ['another letter', [() => bearer(token.slice(0, -1) + (token.endsWith('0') ? '1' : '0'))], `401 ${BAD_TOKEN}`],
    ['in upper case', [() => bearer(token.toUpperCase())], `401 ${BAD_TOKEN}`],
    ['a token in a cookie', [() => `Cookie: access_token=${token}`], `401 ${NO_TOKEN}`],
    ['a token in another header', [() => `X-Access-Token: ${token}`], `401 ${NO_TOKEN}`],
    ['a token that came from the API', [() => `X-Auth-Client-Id: ${client.clientId}`], `401 ${NO_TOKEN}`],
  ])('%s', async (_what, lines, expected) => {
    const headers = lines.map((line) => (typeof line === 'string' ? line : line()));
    expect(verdictOf(await ask(headers))).toBe(expected);
  });

  it.each(['bearer', 'BEARER', 'Bearer '])('accepts the scheme written as %j', async (scheme) => {
    expect((await ask([`Authorization: ${scheme} ${token}`])).status).toBe(204);
  });

  it('reads no token from the query', async () => {
    const target = `/oauth2/forward-auth?api=${world.keys[0]}&access_token=${token}&token=${token}`;
    expect(verdictOf(await ask([], { target }))).toBe(`401 ${NO_TOKEN}`);
  });

  it('requires exactly one API that exists and is granted', async () => {
    const narrow = await world.tokenOf(client, world.keys[1]);
    expect(verdictOf(await ask([bearer(narrow)]))).toBe(`403 ${NOT_GRANTED}`);
    const { key } = await anApi(world.api);
    const k = world.keys[0];
    for (const query of [
      '',
      '?',
      '?api',
      '?api=',
      '?api=no-such',
      `?api=${key}`,
      `?api=${k}&api=${k}`,
      `?api[]=${k}`,
      `?api=${k}%20${world.keys[1]}`,
      '?api=%zz',
      '?api=__proto__',
    ]) {
      const answer = await ask([bearer()], { target: `/oauth2/forward-auth${query}` });
      expect([query, verdictOf(answer)]).toStrictEqual([query, `403 ${NOT_GRANTED}`]);
    }
  });

  it('answers 503 and logs a warning when the gateway’s own secret is missing or wrong, without a challenge to the caller', async () => {
    const { username } = world.resourceServer;
    const basic = (pair: string): string =>
      `X-Forward-Auth-Authorization: Basic ${Buffer.from(pair).toString('base64')}`;
    const lines: string[][] = [
      [],
      [basic(`${username}:x`)],
      [basic('x:y')],
      [basic(`${client.clientId}:${client.clientSecret}`)],
      [gateway(), gateway()],
      ['X-Forward-Auth-Authorization: Basic !'],
      [`X-Forward-Auth-Authorization: Bearer ${token}`],
    ];
    for (const headers of lines) {
      const answer = await ask([], { headers: [...headers, bearer()] });
      expect([verdictOf(answer), answer.body, answer.headers.get('retry-after')]).toEqual(['503', '', '2']);
    }
    const warnings = world.service.log.filter(({ msg }) => msg?.includes('cannot sign in at forward-auth'));
    // at most one a minute for all of this peer
    expect(warnings).toEqual([
      expect.objectContaining({ level: 'warn', peer: '127.0.0.1', reason: 'X-Forward-Auth-Authorization is absent' }),
    ]);
  });

  it('ignores a body of any declared type and length, and keeps the connection open', async () => {
    const connection = await RawConnection.open(world.url);
    const target = `/oauth2/forward-auth?api=${world.keys[0]}`;
    const bodies: [string[], string][] = [
      [['Content-Type: application/json'], '{bad'],
      [['Content-Type: nonsense'], 'x'.repeat(700_000)],
      [['Content-Type: application/json', 'Transfer-Encoding: chunked'], '3\r\nabc\r\n0\r\n\r\n'],
      [['Expect: 100-continue'], 'x=y'],
    ];
    for (const [headers, body] of bodies) {
      connection.send(rawRequest({ target, headers: [gateway(), bearer(), ...headers], body }));
      expect((await connection.answer()).status).toBe(204);
    }
    connection.close();
  });

  describe('Allowed IPs', () => {
    it.each([
      ['X-Forward-Auth-Client-IP: 10.1.2.3', '204'],
      ['X-Forward-Auth-Client-IP: ::ffff:10.1.2.3', '204'],
      ['X-Forward-Auth-Client-IP: 2001:db8::1', '204'],
      ['X-Forward-Auth-Client-IP: 10.2.0.0', '403'],
      ['X-Forward-Auth-Client-IP: 127.0.0.1', '403'],
      ['X-Forward-Auth-Client-IP: rubbish', '403'],
      ['X-Forward-Auth-Client-IP: 10.1.2.3, 10.1.2.3', '403'],
      ['X-Forward-Auth-Client-IP: 10.1.2.3:443', '403'],
      ['X-Forward-Auth-Client-IP: ', '403'],
      ['X-Forwarded-For: 10.1.2.3', '403'],
      ['X-Real-IP: 10.1.2.3', '403'],
    ])('%s is %s', async (line, expected) => {
      const bound = await world.client({ allowedIps: ['10.1.0.0/16', '2001:db8::/32', '127.0.0.0/8'] });
      const boundToken = await world.tokenOf(bound);
      await world.api.patch(pathOf(bound), { allowedIps: ['10.1.0.0/16', '2001:db8::/32'] });
      expect(verdictOf(await ask([bearer(boundToken), line]))).toBe(expected);
      const twice = await ask([bearer(boundToken), line, line]);
      expect(verdictOf(twice)).toBe('403');
    });

    it('refuses an invalid address, even for a credential without Allowed IPs', async () => {
      expect((await ask([bearer(), 'X-Forward-Auth-Client-IP: 192.0.2.1'])).status).toBe(204);
      expect(verdictOf(await ask([bearer(), 'X-Forward-Auth-Client-IP: rubbish']))).toBe('403');
    });
  });

  it('refuses a deleted, disabled or no longer entitled credential on the next request, on every instance', async () => {
    const edits: [string, (credential: CredentialBody) => Promise<unknown>, string][] = [
      ['deleted', (credential) => world.api.delete(pathOf(credential)), `401 ${BAD_TOKEN}`],
      ['disabled', (credential) => world.api.patch(pathOf(credential), { status: 'disabled' }), `401 ${BAD_TOKEN}`],
      [
        'API taken',
        (credential) => world.api.patch(`${pathOf(credential)}/apis`, { remove: [world.keys[0]] }),
        `403 ${NOT_GRANTED}`,
      ],
    ];
    for (const [what, edit, expected] of edits) {
      const credential = await world.client();
      const its = await world.tokenOf(credential);
      const everywhere = (): Promise<string[]> =>
        Promise.all(
          world.services.map(async ({ url }) => {
            const target = `/oauth2/forward-auth?api=${world.keys[0]}`;
            return verdictOf(await sendRaw(url, { method: 'GET', target, headers: [gateway(), bearer(its)] }));
          }),
        );
      expect(await everywhere()).toStrictEqual(['204', '204']);
      await edit(credential);
      expect([what, ...(await everywhere())]).toStrictEqual([what, expected, expected]);
    }
  });
});
