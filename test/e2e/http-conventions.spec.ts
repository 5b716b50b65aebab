import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CredentialBody, ProblemBody } from '../support/api.ts';
import { basic } from '../support/api.ts';
import { pathOf } from '../support/builders.ts';
import { OAuthWorld, errorOf, pairOf } from '../support/oauth-world.ts';
import { FORM, RawConnection, basicLine, rawRequest, sendRaw } from '../support/raw-http.ts';
import type { RawAnswer, RawRequest } from '../support/raw-http.ts';
import { ADMIN } from '../support/service.ts';

const GRANT = 'grant_type=client_credentials';
const JSON_TYPE = 'Content-Type: application/json';

let world: OAuthWorld;
let client: CredentialBody;
const admin = `Authorization: ${basic(ADMIN)}`;
const send = (request: RawRequest): Promise<RawAnswer> => sendRaw(world.url, request);
const get = (target: string, ...headers: string[]): Promise<RawAnswer> => send({ method: 'GET', target, headers });
const codeOf = ({ status, body }: RawAnswer): string =>
  `${status} ${(JSON.parse(body) as ProblemBody).type.replace('urn:latchkey:problem:', '')}`;

beforeAll(async () => {
  world = await OAuthWorld.start();
  client = await world.client({ tokenLimitPolicy: 'evict_oldest' });
});

afterAll(() => world.stop());

describe('an unknown path', () => {
  it.each([
    ['GET', '/oauth2/nothing', []],
    ['GET', '/oauth2/', []],
    ['GET', '/oauth2', []],
    ['POST', '/oauth2/nothing', [FORM]],
    ['POST', '/oauth2/token/', [FORM]],
    ['POST', '/oauth2/nothing', ['Content-Type: text/plain']],
    ['POST', '//oauth2/token', [FORM]],
    ['POST', '/OAuth2/token', [FORM]],
    ['POST', '/nothing', ['Content-Type: nonsense']],
    ['PATCH', '/v1/nothing', [JSON_TYPE]],
    ['POST', '/v1/nothing', ['Content-Type: text/plain']],
    ['GET', '/v1/nothing', ['Accept: text/html']],
    ['DELETE', '/.well-known/nothing', []],
  ])('gets 404 not-found for %s %s, with any body: %j', async (method, target, headers) => {
    const body = method === 'GET' ? {} : { body: '{bad' };
    const answer = await send({ method, target, headers, ...body });
    expect(codeOf(answer)).toBe('404 not-found');
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(JSON.parse(answer.body)).toMatchObject({ detail: 'This path does not exist. See /docs for all paths.' });
  });

  it('is distinguished from a method that the path does not support', async () => {
    const known = await send({ method: 'POST', target: '/livez', headers: ['Content-Type: nonsense'], body: 'x' });
    expect([codeOf(known), known.headers.get('allow')]).toEqual(['405 method-not-allowed', 'GET, HEAD']);
    for (const target of ['/oauth2/token', '/oauth2/revoke']) {
      const oauth = await get(target);
      expect([errorOf(oauth), oauth.headers.get('allow')]).toEqual(['405 invalid_request', 'POST']);
    }
  });

  it('leaves the connection usable', async () => {
    const many = Array.from({ length: 5 }, () => send({ target: '/oauth2/nothing', headers: [FORM], body: 'a=b' }));
    for (const { status } of await Promise.all(many)) expect(status).toBe(404);
  });
});

describe('a form body', () => {
  it.each([
    'charset=ISO-8859-1',
    'charset=US-ASCII',
    'charset=utf8',
    'charset="utf-16"',
    'charset=utf-8; charset=utf-16',
    'charset',
    'charset="',
    'boundary=x',
    '',
  ])('is accepted with the media type parameter %j', async (parameter) => {
    const headers = [`Content-Type: application/x-www-form-urlencoded; ${parameter}`, basicLine(pairOf(client))];
    expect((await send({ target: '/oauth2/token', headers, body: GRANT })).status).toBe(200);
  });

  it('must be ASCII in any charset, and the error says what to do', async () => {
    const headers = [`${FORM}; charset=ISO-8859-1`, basicLine(pairOf(client))];
    const { status, body } = await send({ target: '/oauth2/token', headers, body: `${GRANT}&scope=\u00e4` });
    expect([status, body]).toEqual([400, expect.stringContaining('characters that must be percent-encoded')]);
  });
});

describe('Accept', () => {
  it.each([
    'application/json;version=1',
    'application/json; charset=utf-8; profile="a,b"',
    'text/html;level=1, application/*;q=0.2',
    '',
  ])('%j gets JSON: its parameters are ignored', async (accept) => {
    const answer = await get('/v1/operations', admin, `Accept: ${accept}`);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
  });

  it.each(['text/html', 'application/json;q=0', 'text/csv', 'application/x-ndjson'])('%j gets 406', async (accept) => {
    expect(codeOf(await get('/v1/operations', admin, `Accept: ${accept}`))).toBe('406 not-acceptable');
  });

  it('must match the requested export format', async () => {
    const steps: [string, string, string][] = [
      ['', '*/*', 'application/x-ndjson'],
      ['', 'application/x-ndjson;charset=utf-8', 'application/x-ndjson'],
      ['', 'text/csv', '406'],
      ['?format=csv', 'text/csv', 'text/csv; charset=utf-8; header=present'],
      ['?format=csv', 'application/json', '406'],
      ['?format=xml', 'text/csv', '400'],
    ];
    for (const [query, accept, expected] of steps) {
      const { status, headers } = await get(`/v1/events/export${query}`, admin, `Accept: ${accept}`);
      expect([query, accept, status === 200 ? headers.get('content-type') : String(status)]).toEqual([
        query,
        accept,
        expected,
      ]);
    }
  });

  it('is ignored for routes with a single representation', async () => {
    const headers = [FORM, basicLine(pairOf(client)), 'Accept: text/html'];
    expect((await send({ target: '/oauth2/token', headers, body: GRANT })).status).toBe(200);
    expect((await get('/metrics', 'Accept: application/openmetrics-text')).status).toBe(200);
  });
});

describe('Host', () => {
  it.each([
    ['twice', ['Host: other.test']],
    ['twice, with the same value', ['Host: latchkey.test']],
    ['twice, in another case', ['hOST: other.test']],
  ])('gets 400 if it is sent %s (RFC 9112 3.2)', async (_how, headers) => {
    for (const target of ['/livez', '/v1/me']) {
      const answer = await get(target, ...headers);
      expect(codeOf(answer)).toBe('400 malformed-request');
      expect(answer.body).toContain('The request has several Host headers. Send one.');
    }
    expect(errorOf(await get('/oauth2/token', ...headers))).toBe('400 invalid_request');
  });
});

describe('a body that is refused before it has arrived', () => {
  const BODY = 'x'.repeat(600_000);
  const refused: readonly [string, RawRequest, number][] = [
    ['a media type that is not served', { target: '/v1/operations', headers: ['Accept: text/html', JSON_TYPE] }, 406],
    ['an unknown path', { target: '/v1/nothing', headers: [JSON_TYPE] }, 404],
    ['two Hosts', { target: '/v1/operations', headers: ['Host: other.test', JSON_TYPE] }, 400],
    ['a body beyond the limit', { target: '/v1/operations', headers: [JSON_TYPE] }, 413],
    ['GET without a sign-in', { method: 'GET', target: '/v1/me', headers: [JSON_TYPE] }, 401],
    ['a token request beyond the limit', { target: '/oauth2/token', headers: [FORM] }, 413],
  ];

  it.each(refused)('is read before the connection is closed: %s', async (_what, request, status) => {
    const connection = await RawConnection.open(world.url, { allowHalfOpen: true });
    const headers = [...request.headers!, `Content-Length: ${BODY.length}`, 'Connection: close'];
    connection.send(rawRequest({ ...request, headers }));
    for (let from = 0; from < BODY.length; from += 60_000) {
      await pause(10);
      connection.send(BODY.slice(from, from + 60_000));
    }
    expect((await connection.answer()).status).toBe(status);
    connection.end();
    expect(await connection.closed()).toBeUndefined();
  });
});

describe('Content-Type', () => {
  it('is set on every response with a body, and on no other', async () => {
    const token = await world.tokenOf(client);
    const doomed = await world.client();
    const path = pathOf(doomed);
    const gateway = (pair: string): string => `X-Forward-Auth-${basicLine(pair)}`;
    const { username, password } = world.resourceServer;
    const asked = `/oauth2/forward-auth?api=${world.keys[0]}`;
    const basicPair = basicLine(pairOf(client));
    const answers: [string, RawAnswer][] = [
      ['revoked', await send({ target: '/oauth2/revoke', headers: [FORM, basicPair], body: `token=${token}` })],
      ['revoked again', await send({ target: '/oauth2/revoke', headers: [FORM, basicPair], body: `token=${token}` })],
      ['not revoked', await send({ target: '/oauth2/revoke', headers: [FORM, basicPair], body: 'x=y' })],
      ['token', await send({ target: '/oauth2/token', headers: [FORM, basicPair], body: GRANT })],
      ['no gateway', await get(asked)],
      ['no token', await get(asked, gateway(`${username}:${password}`))],
      ['let through', await get(asked, gateway(`${username}:${password}`), `Authorization: Bearer ${await world.tokenOf(client)}`)],
      ['redirect', await get('/')],
      ['ended tokens', await send({ method: 'DELETE', target: `${path}/tokens`, headers: [admin] })],
      ['deleted', await send({ method: 'DELETE', target: path, headers: [admin, 'If-Match: *'] })],
      ['gone', await get(path, admin)],
      ['docs', await get('/docs')],
      ['a file of the docs', await get('/docs/swagger-ui.css')],
      ['no file of the docs', await get('/docs/nothing.css')],
      ['document', await get('/openapi.json')],
      ['metrics', await get('/metrics')],
      ['keys', await get('/.well-known/latchkey-checkpoint-keys')],
      ['metadata', await get('/.well-known/oauth-authorization-server')],
      ['not HTTP', await send({ target: '/v1/me', headers: ['Expect: 200-maybe'] })],
    ]; // prettier-ignore
    for (const [what, { body, headers }] of answers) {
      const type = headers.get('content-type');
      if (body === '') expect([what, type]).toEqual([what, undefined]);
      else expect([what, type]).toEqual([what, expect.stringMatching(/^[a-z]+\/[\w.+-]+(; ?[\w-]+=[\w.-]+)*$/)]);
    }
    expect(answers.filter(([, { body }]) => body === '').length).toBeGreaterThanOrEqual(8);
  });

  it('that is not supported gets 415 with the supported types: in Accept-Patch for PATCH (RFC 5789 2.2), in Accept otherwise', async () => {
    const path = pathOf(client);
    for (const type of ['text/plain', 'application/merge-patch+json', 'application/x-www-form-urlencoded']) {
      const headers = [admin, 'If-Match: *', `Content-Type: ${type}`];
      const patch = await send({ method: 'PATCH', target: path, headers, body: '{}' });
      expect([codeOf(patch), patch.headers.get('accept-patch')]).toEqual([
        '415 unsupported-media-type',
        'application/json',
      ]);
      const put = await send({ method: 'PUT', target: `${path}/apis`, headers, body: '{}' });
      expect([codeOf(put), put.headers.get('accept')]).toEqual(['415 unsupported-media-type', 'application/json']);
      expect(put.headers.get('accept-patch')).toBeUndefined();
    }
  });
});

it('a line break after a password gets a specific message, and the challenge is still sent', async () => {
  const password = `${ADMIN.password}\n`;
  const answer = await get('/v1/me', `Authorization: ${basic({ username: ADMIN.username, password })}`);
  expect([codeOf(answer), answer.body]).toEqual(['401 unauthenticated', expect.stringContaining('line break')]);
  expect(answer.headers.get('www-authenticate')).toContain('Basic ');
});

describe('a time parameter', () => {
  const faults = async (query: string): Promise<unknown> => {
    const { body } = await world.api.get<ProblemBody>(`/v1/events?${query}`);
    return body.errors?.map(({ pointer, message }) => [pointer, message]);
  };

  it.each([
    '2026-11-23t09:30:00z',
    '2026-11-23T09:30:00.5z',
    '2026-11-23t09:30:00%2B01:00',
    '2026-11-23T09:30:00-00:00',
  ])('accepts the format %s', async (time) => {
    for (const path of ['/v1/events', '/v1/events/export']) {
      expect((await world.api.get(`${path}?from=${time}`)).status).toBe(200);
    }
  });

  it('accepts upper and lower case letters in a body too', async () => {
    const answer = await world.api.patch<CredentialBody>(pathOf(client), { expiresAt: '2099-01-31t12:00:00+01:00' });
    expect([answer.status, answer.body.expiresAt]).toEqual([200, '2099-01-31T11:00:00.000Z']);
    expect((await world.api.patch(pathOf(client), { expiresAt: null })).status).toBe(200);
  });

  it('gets a specific message when its + was not encoded', async () => {
    for (const name of ['from', 'to']) {
      const message = expect.stringMatching(/^In a query, \+ means a space\. Write the offset as %2B/) as unknown;
      expect(await faults(`${name}=2026-11-23T09:30:00+01:00`)).toEqual([[`/query/${name}`, message]]);
    }
    expect(await faults('from=yesterday')).toEqual([
      ['/query/from', 'must be an RFC 3339 time, such as 2026-11-23T09:30:00Z'],
    ]);
  });

  it('refuses `from` after `to`', async () => {
    const late = 'from=2026-11-24T00:00:00Z&to=2026-11-23T00:00:00Z';
    expect(await faults(late)).toEqual([['/query/from', 'must not be after `to`']]);
    expect((await world.api.get(`/v1/events/export?${late}`)).status).toBe(400);
    expect((await world.api.get('/v1/events?from=2026-11-23T00:00:00Z&to=2026-11-23T00:00:00Z')).status).toBe(200);
  });
});
