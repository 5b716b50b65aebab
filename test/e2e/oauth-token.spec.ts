import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { digest } from '#kernel';
import type { CredentialBody } from '../support/api.ts';
import { OAuthWorld, errorOf, pairOf } from '../support/oauth-world.ts';
import { FORM, RawConnection, basicLine, rawRequest, sendRaw } from '../support/raw-http.ts';
import type { RawAnswer, RawRequest } from '../support/raw-http.ts';

const GRANT = 'grant_type=client_credentials';
/** RFC 6749 5.2: what error_description may hold. */
const DESCRIPTION = /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/;

let world: OAuthWorld;
let client: CredentialBody;
/** Asks for a token as the client, unless header lines say otherwise. */
const ask = (body: string, as: string | readonly string[] = pairOf(client)): Promise<RawAnswer> =>
  world.form('/oauth2/token', as, body);
const send = (request: Partial<RawRequest>): Promise<RawAnswer> =>
  sendRaw(world.url, {
    target: '/oauth2/token',
    headers: [FORM, basicLine(pairOf(client))],
    body: GRANT,
    ...request,
  });

beforeAll(async () => {
  world = await OAuthWorld.start(1, { env: { LOG_LEVEL: 'trace' } });
});

afterAll(() => world.stop());

describe('POST /oauth2/token', () => {
  // refused requests of one test must not take the places of another's tokens
  beforeAll(async () => {
    client = await world.client({ tokenLimitPolicy: 'evict_oldest' });
  });

  describe('a token', () => {
    it('comes with 200, exactly the documented members, and no-store', async () => {
      const answer = await ask(GRANT);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.headers.get('pragma')).toBe('no-cache');
      expect(JSON.parse(answer.body)).toStrictEqual({
        access_token: expect.stringMatching(/^lk_at_[0-9A-Za-z]{73}$/),
        token_type: 'Bearer',
        expires_in: 3600,
        scope: world.keys.join(' '),
      });
    });

    it('contains its client’s handle, and is stored as a digest only', async () => {
      const token = await world.tokenOf(client);
      expect(token.slice(6, 30)).toBe(client.clientId.slice(6));
      const tokens = await world.service.database.collection<{ _id: string }>('tokens');
      const stored = await tokens.findOne({ _id: digest(token) });
      expect(stored).toMatchObject({ clientId: client.clientId, scope: world.keys });
      expect(JSON.stringify(await tokens.find().toArray())).not.toContain(token);
    });

    it('expires after the token lifetime of its credential', async () => {
      const brief = await world.client({ tokenTtlSeconds: 60 });
      const { body } = await world.api.token(brief);
      expect(body['expires_in']).toBe(60);
      const said = await world.api.introspect(world.resourceServer, body['access_token'] as string);
      expect(Number(said.body['exp']) - Number(said.body['iat'])).toBe(60);
    });
  });

  describe('scope', () => {
    it.each([
      ['absent', '', [0, 1]],
      ['empty', '&scope=', [0, 1]],
      ['one', '&scope=0', [0]],
      ['both in another order', '&scope=1+0', [0, 1]],
      ['one many times', '&scope=1+1+1', [1]],
    ])('%s is normalised', async (_what, asked, granted) => {
      const answer = await ask(`${GRANT}${asked.replace(/[01]/g, (index) => world.keys[Number(index)]!)}`);
      expect(JSON.parse(answer.body)).toMatchObject({ scope: granted.map((index) => world.keys[index]).join(' ') });
    });

    it.each([
      ['unknown', 'no-such-api'],
      ['a granted and an unknown one', '0+no-such-api'],
      ['only a space', '+'],
      ['a space before', '+0'],
      ['a space after', '0+'],
      ['two spaces between', '0++1'],
      ['a tab between', '0%091'],
      ['a line feed', '0%0A'],
      ['a quotation mark', '%22'],
      ['a backslash', '%5C'],
      ['an umlaut', '%C3%A4'],
      ['upper case', 'UPPER'],
    ])('%s is refused', async (_what, asked) => {
      const value =
        asked === 'UPPER'
          ? world.keys[0].toUpperCase()
          : asked.replace(/\b[01]\b|(?<=%09)1/g, (i) => world.keys[Number(i)]!);
      expect(errorOf(await ask(`${GRANT}&scope=${value}`))).toBe('400 invalid_scope');
    });

    it('is refused to a credential without APIs, whether or not one is requested', async () => {
      const bare = await world.client({ apis: [] });
      expect(errorOf(await ask(GRANT, pairOf(bare)))).toBe('400 invalid_scope');
      expect(errorOf(await ask(`${GRANT}&scope=`, pairOf(bare)))).toBe('400 invalid_scope');
      expect(errorOf(await ask(`${GRANT}&scope=${world.keys[0]}`, pairOf(bare)))).toBe('400 invalid_scope');
    });

    it('is refused for an existing API that was not granted', async () => {
      const narrow = await world.client({ apis: [world.keys[0]] });
      expect(errorOf(await ask(`${GRANT}&scope=${world.keys[1]}`, pairOf(narrow)))).toBe('400 invalid_scope');
    });
  });

  describe('grant_type', () => {
    it.each([
      ['missing', 'scope=', '400 invalid_request'],
      ['empty', 'grant_type=', '400 invalid_request'],
      ['without a value', 'grant_type', '400 invalid_request'],
      ['no body at all', '', '400 invalid_request'],
      ['an array notation in the name', 'grant_type[]=client_credentials', '400 invalid_request'],
      ['an object notation in the name', 'grant_type[a]=client_credentials', '400 invalid_request'],
      ['another grant', 'grant_type=authorization_code', '400 unsupported_grant_type'],
      ['password', 'grant_type=password&username=a&password=b', '400 unsupported_grant_type'],
      ['other case', 'grant_type=Client_Credentials', '400 unsupported_grant_type'],
      ['a space after it', 'grant_type=client_credentials+', '400 unsupported_grant_type'],
      ['__proto__', 'grant_type=__proto__', '400 unsupported_grant_type'],
    ])('%s', async (_what, body, expected) => {
      expect(errorOf(await ask(body))).toBe(expected);
    });

    it.each([
      'scope[a]=x',
      'grant_type[]=password',
      'scope[]=x',
      'resource=a&resource=b',
      '__proto__=1',
      'constructor=1&toString=2',
      'audience=x',
    ])('ignores unknown parameters: %s', async (more) => {
      expect((await ask(`${GRANT}&${more}`)).status).toBe(200);
    });
  });

  describe('a recognised parameter that is sent twice', () => {
    it.each([
      'grant_type=client_credentials',
      'scope=&scope=',
      'client_id=a&client_id=a',
      'token=a&token=b',
      'client_ip=1&client_ip=1',
    ])('%s', async (twice) => {
      expect(errorOf(await ask(`${GRANT}&${twice}`))).toBe('400 invalid_request');
    });

    it('is refused also when its name is percent-encoded', async () => {
      expect(errorOf(await ask(`${GRANT}&grant%5Ftype=client_credentials`))).toBe('400 invalid_request');
    });
  });

  describe('the request', () => {
    it.each(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY'])(
      'gets 405 and Allow for %s',
      async (method) => {
        const answer = await send({ method });
        expect(answer.status).toBe(405);
        expect(answer.headers.get('allow')).toBe('POST');
        expect(answer.headers.get('cache-control')).toBe('no-store');
      },
    );

    it.each([
      ['JSON', ['Content-Type: application/json'], '{"grant_type":"client_credentials"}'],
      ['multipart', ['Content-Type: multipart/form-data; boundary=x'], '--x--'],
      ['text', ['Content-Type: text/plain'], GRANT],
      ['none', [], GRANT],
      ['an empty one', ['Content-Type: '], GRANT],
      ['something like it', [`${FORM}x`], GRANT],
      ['two in one header', [`${FORM}, application/json`], GRANT],
    ])('gets 400 for any other media type: %s', async (_what, type, body) => {
      expect(errorOf(await send({ headers: [...type, basicLine(pairOf(client))], body }))).toBe('400 invalid_request');
    });

    it.each([
      `${FORM}; charset=utf-8`,
      `${FORM};charset="UTF-8"`,
      'content-type: Application/X-WWW-Form-URLencoded',
      `${FORM};`,
    ])('may write the media type as %s', async (type) => {
      expect((await send({ headers: [type, basicLine(pairOf(client))] })).status).toBe(200);
    });

    it.each(['%', '%zz', 'scope=%C3', 'scope=\u00e4', 'scope=a\u0000', 'a=b\r\n'])(
      'gets 400 for a body that is not a form: %j',
      async (more) => {
        expect(errorOf(await ask(`${GRANT}&${more}`))).toBe('400 invalid_request');
      },
    );

    it('may have a body of 16 KiB; one byte more gets 413, with or without Content-Length', async () => {
      const filler = (size: number): string => `${GRANT}&x=`.padEnd(size, 'a');
      expect((await ask(filler(16 * 1024))).status).toBe(200);
      const announced = await ask(filler(16 * 1024 + 1));
      expect(errorOf(announced)).toBe('413 invalid_request');
      const lines = [FORM, basicLine(pairOf(client)), 'Transfer-Encoding: chunked'];
      const chunked = await send({ headers: lines, body: `4001\r\n${filler(16 * 1024 + 1)}\r\n0\r\n\r\n` });
      expect(errorOf(chunked)).toBe('413 invalid_request');
      const inTwo = `2000\r\n${filler(8192)}\r\n2001\r\n${'a'.repeat(8193)}\r\n0\r\n\r\n`;
      expect(errorOf(await send({ headers: lines, body: inTwo }))).toBe('413 invalid_request');
      for (const answer of [announced, chunked]) expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(
        (await send({ headers: lines, body: `${GRANT.length.toString(16)}\r\n${GRANT}\r\n0\r\n\r\n` })).status,
      ).toBe(200);
    });

    it.each([
      ['announced', (body: string) => ({ headers: [], body })],
      [
        'chunked',
        (body: string) => ({
          headers: ['Transfer-Encoding: chunked'],
          body: `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
        }),
      ],
    ])('gets 413 for ten megabytes, %s, and the connection stays usable', async (_how, framed) => {
      const connection = await RawConnection.open(world.url);
      const lines = [FORM, basicLine(pairOf(client))];
      const large = framed(`${GRANT}&x=${'a'.repeat(10 * 1024 * 1024)}`);
      connection.send(rawRequest({ target: '/oauth2/token', headers: [...lines, ...large.headers], body: large.body }));
      expect(errorOf(await connection.answer())).toBe('413 invalid_request');
      connection.send(rawRequest({ target: '/oauth2/token', headers: lines, body: GRANT }));
      expect((await connection.answer()).status).toBe(200);
      connection.close();
    });

    it.each(['?', '?grant_type=client_credentials', '?a', `?client_secret=lk_cs_canaryInTheQuery`])(
      'gets 400 for anything in the query, which is not logged: %s',
      async (query) => {
        expect(errorOf(await send({ target: `/oauth2/token${query}` }))).toBe('400 invalid_request');
        expect(world.service.lines.join('\n')).not.toContain('canaryInTheQuery');
      },
    );

    it('has the same meaning for every spelling of its URL', async () => {
      const spellings = [
        '/oauth2/%74oken',
        '/%6Fauth2/token',
        'http://latchkey.test/oauth2/token',
        'HTTP://other.test/oauth2/token',
      ];
      for (const target of spellings) {
        const fine = await send({ target });
        const queried = await send({ target: `${target}?client_secret=x` });
        const json = await send({
          target,
          headers: ['Content-Type: application/json', basicLine(pairOf(client))],
          body: '{}',
        });
        const read = await send({ target, method: 'GET' });
        expect([target, fine.status, errorOf(queried), errorOf(json), errorOf(read)]).toStrictEqual([
          target,
          200,
          '400 invalid_request',
          '400 invalid_request',
          '405 invalid_request',
        ]);
        for (const answer of [fine, queried, json, read]) {
          expect(answer.headers.get('cache-control')).toBe('no-store');
          expect(answer.headers.get('pragma')).toBe('no-cache');
        }
      }
    });

    it('is served over HTTP/1.0 and with Expect: 100-continue', async () => {
      expect((await send({ version: '1.0' })).status).toBe(200);
      const headers = [FORM, basicLine(pairOf(client)), 'Expect: 100-continue'];
      expect((await send({ headers })).status).toBe(200);
    });

    it('gets errors in OAuth’s format that repeat no submitted value', async () => {
      const marker = 'canaryOfTheSender';
      const answers = await Promise.all([
        ask(`${GRANT}&scope=${marker}`),
        ask(`grant_type=${marker}`),
        ask(`${marker}=%`),
        ask(`${GRANT}&client_id=${marker}`),
        ask(`${GRANT}&client_secret=${marker}`),
        ask(GRANT, `${marker}:${marker}`),
        ask(GRANT, [`Authorization: ${marker} x`]),
        ask(GRANT, [`Authorization: Basic ${marker}!`]),
        send({ method: 'PUT', target: `/oauth2/token?${marker}` }),
        send({ target: `/oauth2/token?${marker}` }),
        send({ headers: [`Content-Type: ${marker}`] }),
      ]);
      for (const { status, body, headers } of answers) {
        expect(status).toBeGreaterThanOrEqual(400);
        expect(body).not.toContain(marker);
        const { error, error_description: description, ...rest } = JSON.parse(body) as Record<string, string>;
        expect(error).toMatch(/^[a-z_]+$/);
        expect(description).toMatch(DESCRIPTION);
        expect(rest).toStrictEqual({});
        expect(headers.get('content-type')).toMatch(/^application\/json/);
        expect(headers.get('cache-control')).toBe('no-store');
        expect(headers.get('pragma')).toBe('no-cache');
      }
    });
  });
});
