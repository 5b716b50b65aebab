import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Api, basic } from '../support/api.ts';
import type { Answer, CredentialBody, PageBody, ProblemBody } from '../support/api.ts';
import { aCredential, anOperation, pathOf } from '../support/builders.ts';
import { RawConnection } from '../support/raw-http.ts';
import type { RawAnswer } from '../support/raw-http.ts';
import { ADMIN, startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';
import { limitHere } from '../support/slow-machine.ts';

/** No refusal may take longer, in milliseconds; what a slow machine adds is measured. */
const SOON_MS = 1_000;

describe('invalid requests to the admin API', () => {
  let service: Service;
  let api: Api;
  let credential: CredentialBody;
  let path: string;
  let limitMs: number;

  beforeAll(async () => {
    service = await startService();
    api = new Api(service.url);
    credential = await aCredential(api, (await anOperation(api)).id, { description: 'as it was' });
    path = pathOf(credential);
    const from = performance.now();
    for (let count = 0; count < 5; count += 1) await api.patch(path, null);
    limitMs = limitHere(SOON_MS, performance.now() - from);
  });
  afterAll(() => service.discard());
  afterEach(async () => {
    // the process lives, nothing is half written
    const { body, etag } = await api.get<CredentialBody>(path);
    expect([body.name, body.description, etag]).toEqual([credential.name, 'as it was', '"v1"']);
    expect(service.log.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
  });

  function expectProblem(answer: Answer<ProblemBody>, status: number, code: string): void {
    expect([answer.status, answer.body.type]).toEqual([status, `urn:latchkey:problem:${code}`]);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.body).toMatchObject({ status, title: expect.any(String), detail: expect.any(String) });
    expect(answer.body.instance).toBe(answer.headers.get('x-request-id'));
    expect(answer.text).not.toMatch(/node_modules|\bat \w+ \(|Mongo|SyntaxError|Unexpected token/);
  }

  const sent = async (call: () => Promise<Answer<ProblemBody>>): Promise<Answer<ProblemBody>> => {
    const from = performance.now();
    const answer = await call();
    expect(performance.now() - from).toBeLessThan(limitMs);
    return answer;
  };

  const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
  const zoo: readonly (readonly [string, string | Uint8Array, string, string])[] = [
    ['null', 'null', 'validation', ''],
    ['an array', '[]', 'validation', ''],
    ['a number', '1', 'validation', ''],
    ['a string', '"name"', 'validation', ''],
    ['nothing', '', 'validation', ''],
    ['a space', ' ', 'malformed-json', ''],
    ['a byte order mark', '\uFEFF{}', 'malformed-json', ''],
    ['a member twice', '{"description":"a","description":"b"}', 'malformed-json', '/description'],
    ['1e999', '{"tokenTtlSeconds":1e999}', 'malformed-json', '/tokenTtlSeconds'],
    ['a lone surrogate', String.raw`{"description":"\ud800"}`, 'malformed-json', '/description'],
    ['50,000 levels', deep, 'malformed-json', ''],
    ['50,000 levels in a member', `{"description":${deep}}`, 'malformed-json', ''],
    ['20,000 objects in each other', `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`, 'malformed-json', ''],
    ['cut off', '{"description":"a', 'malformed-json', ''],
    ['a comma too much', '{"description":"a",}', 'malformed-json', ''],
    ['a comment', '{} // all', 'malformed-json', ''],
    ['single quotes', "{'description':'a'}", 'malformed-json', ''],
    ['NaN', '{"tokenTtlSeconds":NaN}', 'malformed-json', ''],
    [
      'bytes that are no UTF-8',
      Uint8Array.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
      'malformed-json',
      '',
    ],
    ['an unknown member', '{"descriptoin":"a"}', 'validation', '/descriptoin'],
    ['toString', '{"toString":"a"}', 'validation', '/toString'],
    ['constructor', '{"constructor":{"prototype":{"x":1}}}', 'validation', '/constructor'],
    ['__proto__', '{"__proto__":{"description":"a"}}', 'validation', '/__proto__'],
    ['hasOwnProperty', '{"hasOwnProperty":1}', 'validation', '/hasOwnProperty'],
    ['a member with a slash and a tilde', '{"a/b~c":1}', 'validation', '/a~1b~0c'],
    ['an operator as a name', '{"name":{"$ne":null}}', 'validation', '/name'],
    ['an operator as a member', '{"$set":{"status":"disabled"}}', 'validation', '/$set'],
    ['an operator as an API', '{"apis":[{"$gt":""}]}', 'validation', '/apis/0'],
    ['an array as a name', '{"name":["a"]}', 'validation', '/name'],
    ['an id', '{"id":"cr_1"}', 'validation', '/id'],
    ['a client id', '{"clientId":"lk_ci_x"}', 'validation', '/clientId'],
  ];

  it.each(zoo)('get a problem document for this body: %s', async (_what, raw, code, pointer) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await sent(() => api.call<ProblemBody>('PATCH', path, { raw, headers, ifMatch: '*' }));
    expectProblem(answer, 400, code);
    expect(answer.body.errors?.[0]?.pointer).toBe(pointer);
  });

  it('get 413 for a body of ten megabytes', async () => {
    const raw = `{"description":"${'x'.repeat(10 * 1024 * 1024)}"}`;
    const answer = await sent(() => api.call<ProblemBody>('PATCH', path, { raw, ifMatch: '*' }));
    expectProblem(answer, 413, 'body-too-large');
  });

  it('get 413 for 128 KiB and one byte, and 400 for 5,001 commas, also without sign-in', async () => {
    const anonymous = new Api(service.url, null);
    const length = 128 * 1024 - '{"description":""}'.length;
    const post = (raw: string): Promise<Answer<ProblemBody>> =>
      sent(() => anonymous.call<ProblemBody>('POST', '/v1/session', { raw }));
    expectProblem(await post(`{"description":"${'x'.repeat(length + 1)}"}`), 413, 'body-too-large');
    expectProblem(await post(`{"description":"${'x'.repeat(length)}"}`), 400, 'validation');
    const many = Array.from({ length: 5_002 }, (_, index) => `"${index}":1`).join(',');
    const answer = await post(`{${many}}`);
    expectProblem(answer, 400, 'malformed-json');
    expect(answer.body.errors?.[0]?.message).toBe('The document has too many members.');
  });

  it('list at most twenty of four hundred faults in a body, and repeat no value', async () => {
    const body = { apis: Array.from({ length: 400 }, (_, index) => `CANARY ${index}`) };
    const answer = await sent(() => api.patch<ProblemBody>(path, body));
    expectProblem(answer, 400, 'validation');
    expect(answer.body.errors).toHaveLength(20);
    expect(answer.text).not.toContain('CANARY');
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
    '',
  ])('get 415 for the media type %j', async (type) => {
    const headers = { 'content-type': type };
    const answer = await sent(() =>
      api.call<ProblemBody>('PATCH', path, { raw: 'description=a', headers, ifMatch: '*' }),
    );
    expectProblem(answer, 415, 'unsupported-media-type');
  });

  it.each(['text/html', 'image/png;q=1', 'application/json;q=0'])('get 406 for Accept: %s', async (accept) => {
    expectProblem(await sent(() => api.get<ProblemBody>(path, { headers: { accept } })), 406, 'not-acceptable');
    for (const fine of ['application/json', '*/*', 'application/*;q=0.1', 'text/html, application/json;q=0.9']) {
      expect((await api.get(path, { headers: { accept: fine } })).status).toBe(200);
    }
  });

  it('get 404 for an id with an operator, an escape or other characters in the path', async () => {
    const { operationId } = credential;
    for (const id of ['{"$ne":null}', '[$ne]', '$ne', '../..', "' or 1=1", '*', 'a b', 'ä', '\u0000', '.', 'null']) {
      const encoded = encodeURIComponent(id).replaceAll('.', '%2E');
      for (const target of [`/v1/operations/${encoded}`, `/v1/operations/${operationId}/credentials/${encoded}`]) {
        const answer = await sent(() => api.get<ProblemBody>(target));
        expect([id, answer.status < 500, answer.status >= 400]).toEqual([id, true, true]);
        expectProblem(answer, answer.status, answer.status === 404 ? 'not-found' : 'malformed-request');
      }
    }
    expectProblem(await api.get<ProblemBody>('/v1/operations/%ff'), 400, 'malformed-request');
    expectProblem(await api.get<ProblemBody>('/v1/operations/%'), 400, 'malformed-request');
    expectProblem(await api.get<ProblemBody>(`/v1/operations/${'x'.repeat(129)}`), 414, 'uri-too-long');
  });

  it('get 404 for an unknown path and 405 with Allow for a wrong method, as problem documents', async () => {
    for (const target of [
      '/v1',
      '/v1/',
      '/v1/nothing',
      '/v1/operations/',
      '/nothing',
      '/V1/operations',
      '/v1//operations',
    ]) {
      expectProblem(await api.get<ProblemBody>(target), 404, 'not-found');
    }
    const put = await api.call<ProblemBody>('PUT', path, { body: {} });
    expectProblem(put, 405, 'method-not-allowed');
    expect(put.headers.get('allow')).toBe('DELETE, GET, HEAD, PATCH');
    const options = await api.call<ProblemBody>('OPTIONS', '/v1/operations');
    expectProblem(options, 405, 'method-not-allowed');
    expect(options.headers.get('allow')).toBe('GET, HEAD, POST');
    expectProblem(await api.call<ProblemBody>('POST', '/livez'), 405, 'method-not-allowed');
  });

  it('get 401 with a challenge without sign-in, whether or not the route exists', async () => {
    const anyone = api.as(null);
    const answer = await anyone.get<ProblemBody>(path);
    expectProblem(answer, 401, 'unauthenticated');
    expect(answer.headers.get('www-authenticate')).toContain('Basic realm=');
  });

  describe('that no ordinary HTTP client sends', () => {
    const open = new Set<RawConnection>();
    afterEach(() => {
      for (const connection of open) connection.close();
      open.clear();
    });

    async function raw(bytes: string): Promise<RawAnswer> {
      const connection = await RawConnection.open(service.url);
      open.add(connection);
      connection.send(bytes);
      return connection.answer();
    }

    const authorization = `Authorization: ${basic(ADMIN)}\r\n`;
    const faults: readonly (readonly [string, string, number, string])[] = [
      ['no HTTP at all', 'hello\r\n\r\n', 400, 'malformed-request'],
      ['an unknown method', 'BREW /v1/me HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'malformed-request'],
      ['a bad version', 'GET /v1/me HTTP/9.9\r\nHost: x\r\n\r\n', 400, 'malformed-request'],
      ['no Host', 'GET /v1/me HTTP/1.1\r\n\r\n', 400, 'malformed-request'],
      ['an unknown Expect', 'GET /v1/me HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\n\r\n', 417, 'expectation-failed'],
      ['a tunnel', 'CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n', 405, 'method-not-allowed'],
      ['a header without a name', 'GET /v1/me HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n', 400, 'malformed-request'],
      [
        'two lengths',
        'POST /v1/operations HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}',
        400,
        'malformed-request',
      ],
      [
        'a length and chunks',
        'POST /v1/operations HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
        400,
        'malformed-request',
      ],
      [
        'a length that is no number',
        'POST /v1/operations HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n',
        400,
        'malformed-request',
      ],
      [
        'a header of 100 kB',
        `GET /v1/me HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(100_000)}\r\n\r\n`,
        431,
        'headers-too-large',
      ],
    ];

    it.each(faults)('get a problem document for %s', async (_what, bytes, status, code) => {
      const answer = await raw(bytes);
      expect(answer.status).toBe(status);
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      expect(JSON.parse(answer.body)).toMatchObject({
        type: `urn:latchkey:problem:${code}`,
        status,
        instance: expect.any(String),
      });
    });

    it('get 401 for two Authorization lines, whichever is first', async () => {
      const answer = await raw(`GET /v1/me HTTP/1.1\r\nHost: x\r\n${authorization}${authorization}\r\n`);
      expect(answer.status).toBe(401);
    });

    it('survive a body that is longer than announced or never ends', async () => {
      const head = `POST /v1/operations HTTP/1.1\r\nHost: x\r\n${authorization}Content-Type: application/json\r\n`;
      const answer = await raw(`${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n`);
      expect(answer.status).toBe(400);
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
    });
  });

  it('create nothing: the operation still has its one credential', async () => {
    for (const body of [{ name: { $gt: '' } }, { name: 'a', apis: { $in: [] } }, { name: 'a', status: 'active' }]) {
      const answer = await api.post<ProblemBody>(`/v1/operations/${credential.operationId}/credentials`, body);
      expectProblem(answer, 400, 'validation');
    }
    const { items } = (await api.get<PageBody<CredentialBody>>(`/v1/operations/${credential.operationId}/credentials`))
      .body;
    expect(items.map(({ id }) => id)).toEqual([credential.id]);
  });
});
