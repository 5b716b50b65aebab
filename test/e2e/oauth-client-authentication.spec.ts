import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CredentialBody, EventBody } from '../support/api.ts';
import { pathOf } from '../support/builders.ts';
import { OAuthWorld, errorOf, makeSecretsOlder, pairOf } from '../support/oauth-world.ts';
import { FORM, basicLine, sendRaw } from '../support/raw-http.ts';
import type { RawAnswer, RawRequest } from '../support/raw-http.ts';
import { eventually } from '../support/service.ts';

const GRANT = 'grant_type=client_credentials';
const CHALLENGE = 'Basic realm="latchkey", charset="UTF-8"';

let world: OAuthWorld;
let client: CredentialBody;
const ask = (body: string, as: string | readonly string[] = pairOf(client)): Promise<RawAnswer> =>
  world.form('/oauth2/token', as, body);
const send = (request: Partial<RawRequest>): Promise<RawAnswer> =>
  sendRaw(world.url, {
    target: '/oauth2/token',
    headers: [FORM, basicLine(pairOf(client))],
    body: GRANT,
    ...request,
  });
const base64 = (text: string, encoding: 'latin1' | 'utf8' = 'latin1'): string =>
  Buffer.from(text, encoding).toString('base64');

beforeAll(async () => {
  world = await OAuthWorld.start();
  client = await world.client({ tokenLimitPolicy: 'evict_oldest' });
});

afterAll(() => world.stop());

/** An answer without what may differ: date and request id. */
function comparable({ headerLines, status, body }: RawAnswer): string {
  const kept = headerLines.filter((line) => !/^(date|x-request-id):/i.test(line));
  return [status, ...kept, body].join('\n');
}

describe('a refused client', () => {
  it('gets the same 401, byte for byte, for every reason, and the event log has the true reason', async () => {
    const [disabled, expired, deleted, elsewhere, rotated, suspended, aged] = await Promise.all([
      world.client(),
      world.client(),
      world.client(),
      world.client({ allowedIps: ['192.0.2.0/24'] }),
      world.client(),
      world.client(),
      world.client(),
    ]);
    await world.api.patch(pathOf(disabled), { status: 'disabled' });
    await world.api.patch(pathOf(expired), { expiresAt: new Date(Date.now() + 1_500).toISOString() });
    await world.api.delete(pathOf(deleted));
    await world.api.post(`${pathOf(rotated)}/rotate-secret`, {});
    await world.api.patch(`/v1/operations/${suspended.operationId}`, { status: 'suspended' });
    await world.api.patch(`/v1/operations/${aged.operationId}`, { policy: { maxSecretAgeDays: 1 } });
    await makeSecretsOlder(world, aged, 2);
    await eventually(async () => (await ask(GRANT, pairOf(expired))).status === 401);

    const answers = {
      'unknown id': await ask(GRANT, `${client.clientId.slice(0, -4)}0000:${client.clientSecret}`),
      'no client id at all': await ask(GRANT, 'x:y'),
      'wrong secret': await ask(GRANT, `${client.clientId}:${rotated.clientSecret}`),
      'rubbish for a secret': await ask(GRANT, `${client.clientId}:x`),
      'a secret that was replaced': await ask(GRANT, pairOf(rotated)),
      'a secret that is too old': await ask(GRANT, pairOf(aged)),
      'a suspended operation': await ask(GRANT, pairOf(suspended)),
      disabled: await ask(GRANT, pairOf(disabled)),
      expired: await ask(GRANT, pairOf(expired)),
      deleted: await ask(GRANT, pairOf(deleted)),
      'wrong address': await ask(GRANT, pairOf(elsewhere)),
      'a resource server': await ask(GRANT, `${world.resourceServer.username}:${world.resourceServer.password}`),
      'a resource server’s wrong secret': await ask(GRANT, `${world.resourceServer.username}:x`),
    };
    const [one] = Object.values(answers);
    expect(errorOf(one!)).toBe('401 invalid_client');
    expect(one!.headers.get('www-authenticate')).toBe(CHALLENGE);
    expect(one!.headers.get('cache-control')).toBe('no-store');
    for (const [reason, answer] of Object.entries(answers)) {
      expect({ reason, answer: comparable(answer) }).toStrictEqual({ reason, answer: comparable(one!) });
    }

    const reasonOf = async (subject: string): Promise<unknown> => {
      const events = await world.api.events({ type: 'sign-in.refused.v1', subject });
      return events.map(({ data }: EventBody) => data['reason']);
    };
    await eventually(async () => {
      expect(await reasonOf(disabled.id)).toContain('disabled');
      expect(await reasonOf(expired.id)).toContain('expired');
      expect(await reasonOf(suspended.id)).toContain('suspended');
      expect(await reasonOf(aged.id)).toContain('expired-secret');
      expect(await reasonOf(elsewhere.id)).toContain('address');
      expect(await reasonOf(client.id)).toContain('wrong-secret');
      expect(await reasonOf(rotated.id)).toContain('wrong-secret');
      expect(await reasonOf('unknown')).toContain('unknown-client');
      return true;
    });
  });

  it('is refused with the secret of another credential, and with its own secret in other case, padded or extended', async () => {
    const { clientId, clientSecret } = client;
    const other = await world.client();
    const pairs = [
      `${clientId}:${other.clientSecret}`,
      `${clientId.toUpperCase()}:${clientSecret}`,
      `${clientId}:${clientSecret.toUpperCase()}`,
      `${clientId}:${clientSecret}x`,
      `${clientId}:${clientSecret.slice(0, -1)}`,
      `${clientId}x:${clientSecret}`,
    ];
    for (const pair of pairs) expect(errorOf(await ask(GRANT, pair))).toBe('401 invalid_client');
  });
});

describe('a request without HTTP Basic', () => {
  const described = ({ status, headers, body }: RawAnswer): string => {
    expect([status, headers.get('www-authenticate')]).toEqual([401, CHALLENGE]);
    const { error, error_description } = JSON.parse(body) as { error: string; error_description: string };
    expect(error).toBe('invalid_client');
    return error_description;
  };

  it('is told to use HTTP Basic', async () => {
    for (const lines of [[], [`Authorization: Bearer ${await world.tokenOf(client)}`]]) {
      expect(described(await ask(GRANT, lines))).toMatch(/HTTP Basic/);
    }
  });

  it('is told that a secret in the body is not accepted, right or wrong', async () => {
    const other = await world.client();
    for (const secret of [client.clientSecret, other.clientSecret, 'x']) {
      for (const path of ['/oauth2/token', '/oauth2/introspect', '/oauth2/revoke']) {
        const body = `${GRANT}&token=x&client_id=${client.clientId}&client_secret=${secret}`;
        const text = described(await world.form(path, [], body));
        expect(text).toMatch(/^Use HTTP Basic: a client secret in the body is not accepted\./);
        expect(text).toContain('AuthStyleInHeader');
        expect(text).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/); // RFC 6749 5.2
      }
    }
  });
});

describe('HTTP Basic, strictly', () => {
  const encoded = (): string => base64(pairOf(client));

  it.each(['Basic', 'basic', 'BASIC', 'bAsIc'])('accepts the scheme written as %s', async (scheme) => {
    expect((await ask(GRANT, [`Authorization: ${scheme} ${encoded()}`])).status).toBe(200);
  });

  it('does not read another scheme as Basic: 401', async () => {
    const lines = ['NotBasicAtAll', 'BasicX', 'XBasic', 'Digest', 'Bearer'].map(
      (s) => `Authorization: ${s} ${encoded()}`,
    );
    for (const line of lines) expect(errorOf(await ask(GRANT, [line]))).toBe('401 invalid_client');
  });

  it.each([
    ['a tab', () => `Basic\t${encoded()}`],
    ['no parameters', () => 'Basic'],
    ['no base64', () => 'Basic !!!!'],
    ['something after it', () => `Basic ${encoded()} x`],
    ['a parameter after it', () => `Basic ${encoded()}, realm=x`],
    ['a second one in the line', () => `Basic ${encoded()}, Basic ${encoded()}`],
    ['no padding', () => `Basic ${base64(`${pairOf(client)}!`).replace(/=+$/, '')}x`],
    ['base64url', () => `Basic ${base64(`${client.clientId}:\u00fb\u00ff`).replaceAll('+', '-').replaceAll('/', '_')}`],
    ['base64 with stray bits', () => 'Basic YTpiOh=='],
    ['no colon', () => `Basic ${base64('abc')}`],
    ['an empty id', () => `Basic ${base64(`:${client.clientSecret}`)}`],
    ['an empty secret', () => `Basic ${base64(`${client.clientId}:`)}`],
    ['only a colon', () => `Basic ${base64(':')}`],
    ['an umlaut in UTF-8', () => `Basic ${base64(`${client.clientId}:p\u00e4ss`, 'utf8')}`],
    ['a byte that is not UTF-8', () => `Basic ${base64(`${client.clientId}:p\u00e4ss`)}`],
    ['an escaped umlaut', () => `Basic ${base64(`${client.clientId}:p%C3%A4ss`)}`],
    ['an escaped control character', () => `Basic ${base64(`${client.clientId}:a%00b`)}`],
    ['an escaped space', () => `Basic ${base64(`${client.clientId}:a+b`)}`],
    ['half an escape', () => `Basic ${base64(`${client.clientId}:a%4`)}`],
    ['no escape', () => `Basic ${base64(`${client.clientId}:a%zz`)}`],
    ['a byte above 127 in the header', () => `Basic \u00e4${encoded()}`],
    ['an empty header', () => ''],
  ])('answers 400 to a malformed header: %s', async (_what, value) => {
    expect(errorOf(await ask(GRANT, [`Authorization: ${value()}`]))).toBe('400 invalid_request');
  });

  it.each(['Basic  ', 'basic     '])('accepts more than one space after the scheme: %j', async (start) => {
    expect((await ask(GRANT, [`Authorization: ${start}${encoded()}`])).status).toBe(200);
  });

  it.each(['\n', '\r\n', ' ', '\t'])('names white space after the secret in the error: %j', async (end) => {
    const { status, body } = await ask(GRANT, `${pairOf(client)}${end}`);
    expect([status, body]).toEqual([400, expect.stringContaining('Look for a line break at its end')]);
  });

  it('reads everything after the first colon as the secret', async () => {
    expect(errorOf(await ask(GRANT, `${pairOf(client)}:JUNK`))).toBe('401 invalid_client');
    expect(errorOf(await ask(GRANT, `${pairOf(client)}:`))).toBe('401 invalid_client');
  });

  it('form-decodes each part exactly once', async () => {
    const escaped = (text: string, by = (c: string): string => `%${c.charCodeAt(0).toString(16)}`): string =>
      text.replace(/[_a-c]/g, by);
    const { clientId, clientSecret } = client;
    expect((await ask(GRANT, `${escaped(clientId)}:${escaped(clientSecret)}`)).status).toBe(200);
    const twice = (text: string): string => escaped(text).replaceAll('%', '%25');
    expect(errorOf(await ask(GRANT, `${twice(clientId)}:${clientSecret}`))).toBe('401 invalid_client');
    expect(errorOf(await ask(GRANT, `${clientId}:${twice(clientSecret)}`))).toBe('401 invalid_client');
    // a client library escapes the hyphen of an id as well: it has to reach the look-up as a hyphen
    expect(errorOf(await ask(GRANT, `no%2Dsuch:${clientSecret}`))).toBe('401 invalid_client');
  });

  it('answers 400 to two Authorization lines, in either order', async () => {
    const good = basicLine(pairOf(client));
    for (const second of [good, basicLine('a:b'), 'authorization: Bearer x', 'AUTHORIZATION: ', 'Authorization: x']) {
      expect(errorOf(await ask(GRANT, [good, second]))).toBe('400 invalid_request');
      expect(errorOf(await ask(GRANT, [second, good]))).toBe('400 invalid_request');
    }
  });

  it('ignores a header whose name only resembles Authorization', async () => {
    const value = `Basic ${encoded()}`;
    const lookalikes = [
      `X-Authorization: ${value}`,
      `Proxy-Authorization: ${value}`,
      `X-Forward-Auth-Authorization: ${value}`,
    ];
    for (const line of lookalikes) expect(errorOf(await ask(GRANT, [line]))).toBe('401 invalid_client');
  });
});

describe('a client_id or client_secret in the body', () => {
  it('gets 400 for a secret beside Basic, the same or another', async () => {
    for (const more of [`client_secret=${client.clientSecret}`, 'client_secret=x', 'client_assertion=x']) {
      expect(errorOf(await ask(`${GRANT}&${more}`))).toBe('400 invalid_request');
    }
  });

  it('is treated as absent when empty (RFC 6749 3.2)', async () => {
    for (const empty of ['client_secret=', 'client_assertion=', 'client_id=']) {
      expect((await ask(`${GRANT}&${empty}`)).status).toBe(200);
    }
  });

  it('may repeat the client_id of Basic, but not name another', async () => {
    expect((await ask(`${GRANT}&client_id=${client.clientId}`)).status).toBe(200);
    const other = await world.client();
    for (const id of [other.clientId, 'x']) {
      expect(errorOf(await ask(`${GRANT}&client_id=${id}`))).toBe('400 invalid_request');
    }
  });
});

describe('the order of checks at the token endpoint', () => {
  it('is method, media type, size, syntax, duplicates, client, address, grant_type, scope', async () => {
    const elsewhere = await world.client({ allowedIps: ['192.0.2.1'] });
    const bad = basicLine(`${client.clientId}:wrong`);
    const json = 'Content-Type: application/json';
    const large = 'x'.repeat(16 * 1024 + 1);
    const steps: [Partial<RawRequest>, string][] = [
      [{ method: 'PUT', headers: [json, bad], body: large }, '405 This endpoint accepts POST only.'],
      [{ headers: [json, bad], body: large }, '400 Send the parameters as application/x-www-form-urlencoded.'],
      [{ headers: [FORM, bad], body: large }, '413 The body is too large.'],
      [
        { headers: [FORM, bad], body: 'scope=1&scope=2&%' },
        '400 The form has a percent-escape that is incomplete or not UTF-8.',
      ],
      [{ headers: [FORM, bad], body: 'scope=1&scope=2' }, '400 A parameter is repeated. Send each parameter once.'],
      [{ headers: [FORM, bad], body: 'grant_type=x&scope=bad' }, '401 Client authentication failed.'],
      [
        { headers: [FORM, basicLine(pairOf(elsewhere))], body: 'grant_type=x&scope=bad' },
        '401 Client authentication failed.',
      ],
      [{ body: 'grant_type=x&scope=bad' }, '400 The only supported grant type is client_credentials.'],
      [{ body: `${GRANT}&scope=bad` }, '400 The scope is malformed, unknown, or not granted to this client.'],
    ];
    for (const [request, expected] of steps) {
      const { status, body } = await send(request);
      expect(`${status} ${(JSON.parse(body) as { error_description: string }).error_description}`).toBe(expected);
    }
  });

  it('puts the scope before the token limit', async () => {
    const full = await world.client();
    for (let count = 0; count < 10; count += 1) await world.tokenOf(full);
    expect(errorOf(await ask(`${GRANT}&scope=bad`, pairOf(full)))).toBe('400 invalid_scope');
    expect(errorOf(await ask(GRANT, pairOf(full)))).toBe('429 temporarily_unavailable');
  });
});
