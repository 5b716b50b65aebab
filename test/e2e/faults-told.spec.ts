import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Api, basic } from '../support/api.ts';
import type { Answer, CredentialBody, ProblemBody } from '../support/api.ts';
import { aCredential, aResourceServer, anApi, anOperation, pathOf, unique } from '../support/builders.ts';
import { RawConnection } from '../support/raw-http.ts';
import { ADMIN, startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';

const PAST = '2020-01-01T00:00:00Z';

describe('the faults of a request', () => {
  let service: Service;
  let api: Api;
  let operationId: string;

  beforeAll(async () => {
    service = await startService();
    api = new Api(service.url);
  });
  afterAll(() => service.discard());
  beforeEach(async () => {
    operationId = (await anOperation(api)).id;
  });

  const faults = ({ body }: Answer<ProblemBody>): Record<string, string> =>
    Object.fromEntries((body.errors ?? []).map(({ pointer, code }) => [pointer, code]));
  const problem = ({ status, body }: Answer<ProblemBody>): [number, string] => [status, body.type];
  const UNKNOWN_API: [number, string] = [400, 'urn:latchkey:problem:unknown-api'];
  const VALIDATION: [number, string] = [400, 'urn:latchkey:problem:validation'];

  describe('an unknown API key', () => {
    it('is refused in every call that takes API keys, also in a removal', async () => {
      const { key } = await anApi(api);
      const credential = await aCredential(api, operationId, { apis: [key] });
      const server = await aResourceServer(api, [key]);
      const apis = `${pathOf(credential)}/apis`;
      const typo = `${key}.read`;
      const calls: [Answer<ProblemBody>, string][] = [
        [await api.patch<ProblemBody>(apis, { remove: [typo] }), '/remove/0'],
        [await api.patch<ProblemBody>(apis, { add: [key], remove: [typo] }), '/remove/0'],
        [await api.patch<ProblemBody>(apis, { add: [typo] }), '/add/0'],
        [await api.put<ProblemBody>(apis, { apis: [key, typo] }), '/apis/1'],
        [await api.patch<ProblemBody>(pathOf(credential), { apis: [typo] }), '/apis/0'],
        [
          await api.post<ProblemBody>(`/v1/operations/${operationId}/credentials`, { name: 'x', apis: [typo] }),
          '/apis/0',
        ],
        [await api.post<ProblemBody>('/v1/resource-servers', { name: unique('server'), apis: [typo] }), '/apis/0'],
        [await api.patch<ProblemBody>(`/v1/resource-servers/${server.id}`, { apis: [typo] }), '/apis/0'],
      ];
      for (const [answer, pointer] of calls) {
        expect(problem(answer)).toEqual(UNKNOWN_API);
        expect(faults(answer)).toEqual({ [pointer]: 'unknown-api' });
      }
      expect((await api.get<CredentialBody>(pathOf(credential))).body.apis).toEqual([key]);
      expect((await api.get<ProblemBody>(`/v1/operations/${operationId}/credentials?api=${typo}`)).status).toBe(400);
    });

    it('is reported for both members together', async () => {
      const credential = await aCredential(api, operationId);
      const answer = await api.patch<ProblemBody>(`${pathOf(credential)}/apis`, { add: ['zz-a'], remove: ['zz-b'] });
      expect(faults(answer)).toEqual({ '/add/0': 'unknown-api', '/remove/0': 'unknown-api' });
    });

    it('can be removed if the catalogue has it, even if the credential does not', async () => {
      const { key } = await anApi(api);
      const credential = await aCredential(api, operationId);
      expect((await api.patch(`${pathOf(credential)}/apis`, { remove: [key] })).status).toBe(200);
      expect((await api.get(pathOf(credential))).etag).toBe('"v1"');
    });
  });

  describe('several faults of different kinds', () => {
    it('are reported together: an invalid address, an invalid name, an unknown API and an expiry in the past', async () => {
      const { key } = await anApi(api);
      const body = {
        name: '',
        apis: [key, 'zz-none'],
        allowedIps: ['10.1', '192.0.2.1', '10.0.0.5/8'],
        expiresAt: PAST,
      };
      const answer = await api.post<ProblemBody>(`/v1/operations/${operationId}/credentials`, body);
      expect(problem(answer)).toEqual(VALIDATION);
      expect(faults(answer)).toEqual({
        '/name': 'invalid',
        '/apis/1': 'unknown-api',
        '/allowedIps/0': 'invalid-address',
        '/allowedIps/2': 'invalid-address',
        '/expiresAt': 'in-the-past',
      });
    });

    it('are reported together when they depend on the catalogue, the clock and the operation', async () => {
      const strict = await anOperation(api, { requireAllowedIps: true });
      const body = { name: 'x', apis: ['zz-none'], expiresAt: PAST };
      const answer = await api.post<ProblemBody>(`/v1/operations/${strict.id}/credentials`, body);
      expect(problem(answer)).toEqual(VALIDATION);
      expect(faults(answer)).toEqual({
        '/apis/0': 'unknown-api',
        '/expiresAt': 'in-the-past',
        '/allowedIps': 'allowed-ips-required',
      });
    });

    it('are reported together in an edit, also of the API List and of resource servers', async () => {
      const credential = await aCredential(api, operationId);
      const server = await aResourceServer(api, []);
      const edit = await api.patch<ProblemBody>(pathOf(credential), { apis: ['zz-none'], status: 'gone', more: 1 });
      expect(faults(edit)).toEqual({
        '/apis/0': 'unknown-api',
        '/status': 'invalid-value',
        '/more': 'unknown-member',
      });
      const list = await api.patch<ProblemBody>(`${pathOf(credential)}/apis`, { add: ['zz-none'], remove: ['A B'] });
      expect(faults(list)).toEqual({ '/add/0': 'unknown-api', '/remove/0': 'invalid-format' });
      const set = await api.put<ProblemBody>(`${pathOf(credential)}/apis`, { apis: ['zz-none'], more: 1 });
      expect(faults(set)).toEqual({ '/apis/0': 'unknown-api', '/more': 'unknown-member' });
      for (const answer of [
        await api.post<ProblemBody>('/v1/resource-servers', { name: '', apis: ['zz-none'] }),
        await api.patch<ProblemBody>(`/v1/resource-servers/${server.id}`, { name: '', apis: ['zz-none'] }),
      ]) {
        expect(faults(answer)).toEqual({ '/name': 'invalid', '/apis/0': 'unknown-api' });
      }
    });

    it('are not reported to a caller without write access, nor for an unknown operation', async () => {
      const body = { name: '', apis: ['zz-none'] };
      const path = '/v1/operations/op_unknown/credentials';
      expect((await api.as(null).post(path, body)).status).toBe(401);
      expect(faults(await api.post<ProblemBody>(path, body))).toEqual({ '/name': 'invalid', '/apis/0': 'unknown-api' });
    });
  });

  describe('Allowed IPs that together cover every address', () => {
    it.each([
      [['0.0.0.0/1', '128.0.0.0/1']],
      [['0.0.0.0/2', '64.0.0.0/2', '128.0.0.0/1']],
      [['::/1', '8000::/1']],
      [['192.0.2.1', '8000::/1', '::/2', '4000::/2']],
    ])('are refused: %j', async (allowedIps) => {
      const path = `/v1/operations/${operationId}/credentials`;
      const made = await api.post<ProblemBody>(path, { name: 'x', allowedIps });
      expect(problem(made)).toEqual(VALIDATION);
      expect(faults(made)).toEqual({ '/allowedIps': 'every-address' });
      const credential = await aCredential(api, operationId);
      expect((await api.patch(pathOf(credential), { allowedIps })).status).toBe(400);
    });
  });

  describe('an If-Match', () => {
    it.each(['"v1"', 'W/"v1"', '"x", "v1"', '"v4", "x", W/"v1"', '"a,b", "v1"', '*'])(
      'matches as %s',
      async (ifMatch) => {
        const credential = await aCredential(api, operationId);
        expect((await api.patch(pathOf(credential), { description: 'y' }, { ifMatch })).status).toBe(200);
      },
    );

    it.each([
      ['"v2"', /is at "v1"/],
      ['W/"v2", "v3"', /is at "v1"/],
      ['v1', /quotes/],
      ['"v1" "v2"', /quotes/],
      ['"other"', /no ETag of this resource/],
      ['', /quotes/],
    ])('is refused as %j, and the answer names the reason', async (ifMatch, why) => {
      const credential = await aCredential(api, operationId);
      const answer = await api.patch<ProblemBody>(pathOf(credential), { description: 'y' }, { ifMatch });
      expect(problem(answer)).toEqual([412, 'urn:latchkey:problem:precondition-failed']);
      expect(answer.body.detail).toMatch(why);
      expect(answer.body.errors?.[0]?.pointer).toBe('/header/If-Match');
    });

    it('has no-transform in Cache-Control when the answer has an ETag', async () => {
      const credential = await aCredential(api, operationId);
      const read = await api.get(pathOf(credential));
      expect(read.headers.get('cache-control')).toBe('no-store, no-transform');
      expect((await api.get('/v1/operations')).headers.get('cache-control')).toBe('no-store');
    });
  });

  describe('a body that is not JSON', () => {
    it.each([
      ['{"name": "canary-1"\n  "description": ""}', 2, 3],
      ['{"name": canary}', 1, 10],
      ['{\n  "name": "canary",\n}', 3, 1],
      ['{"name": "canary', 1, 17],
      ["{'name': 1}", 1, 2],
      ['{"a": 01}', 1, 8],
    ])('%j is refused with line %i and column %i, without repeating its content', async (raw, line, column) => {
      const answer = await api.call<ProblemBody>('POST', '/v1/operations', { raw });
      expect(problem(answer)).toEqual([400, 'urn:latchkey:problem:malformed-json']);
      expect(answer.body.detail).toContain(`line ${line}, column ${column}`);
      expect(answer.text).not.toContain('canary');
    });

    it.each(['utf-16', 'iso-8859-1', '"us-ascii"'])(
      'gets 415 in charset %s, with the hint to use UTF-8',
      async (charset) => {
        const headers = { 'content-type': `application/json; charset=${charset}` };
        const answer = await api.call<ProblemBody>('POST', '/v1/operations', { raw: '{"name":"x"}', headers });
        expect(problem(answer)).toEqual([415, 'urn:latchkey:problem:unsupported-media-type']);
        expect(answer.body.detail).toContain('UTF-8');
      },
    );

    it.each(['utf-8', 'UTF-8', '"utf-8"', 'utf8'])('is accepted in charset %s', async (charset) => {
      const headers = { 'content-type': `application/json; charset=${charset}` };
      const raw = JSON.stringify({ name: unique('Größe') });
      expect((await api.call('POST', '/v1/operations', { raw, headers })).status).toBe(201);
    });
  });

  it.each(['Host: a\r\nHost: b', 'Host: a\r\nhost: a', 'Host: a, b'])(
    'get 400 for an ambiguous host: %j',
    async (host) => {
      const connection = await RawConnection.open(service.url);
      connection.send(`GET /v1/me HTTP/1.1\r\n${host}\r\nAuthorization: ${basic(ADMIN)}\r\n\r\n`);
      const answer = await connection.answer();
      connection.close();
      expect(answer.status).toBe(400);
      expect(JSON.parse(answer.body)).toMatchObject({ type: 'urn:latchkey:problem:malformed-request' });
    },
  );

  it('report a replayed create as deleted if the resource was deleted in the meantime', async () => {
    const path = `/v1/operations/${operationId}/credentials`;
    const idempotencyKey = unique('key');
    const body = { name: unique('robot') };
    const made = await api.post<CredentialBody>(path, body, { idempotencyKey });
    await api.patch(`${path}/${made.body.id}`, { status: 'disabled' });
    const disabled = await api.post<CredentialBody>(path, body, { idempotencyKey });
    expect([disabled.status, disabled.body.status, disabled.etag]).toEqual([200, 'disabled', '"v2"']);
    await api.delete(`${path}/${made.body.id}`);
    const deleted = await api.post<ProblemBody>(path, body, { idempotencyKey });
    expect(problem(deleted)).toEqual([410, 'urn:latchkey:problem:deleted-meanwhile']);
    expect((await api.get<{ items: object[] }>(path)).body.items).toEqual([]);
  });

  describe('requireAllowedIps enabled while credentials have no Allowed IPs', () => {
    it('is refused with the list of violating credentials, and changes nothing', async () => {
      const open = await aCredential(api, operationId, { name: 'open' });
      await aCredential(api, operationId, { allowedIps: ['127.0.0.1'] });
      const path = `/v1/operations/${operationId}`;
      const refused = await api.patch<ProblemBody & { violations: object[] }>(path, {
        name: unique('n'),
        requireAllowedIps: true,
      });
      expect(problem(refused)).toEqual([409, 'urn:latchkey:problem:policy-violated']);
      expect(refused.body.violations).toEqual([{ credentialId: open.id, name: 'open', rule: 'requireAllowedIps' }]);
      expect((await api.get(path)).body).toMatchObject({ requireAllowedIps: false });
      expect(await api.events({ subject: operationId, type: 'operation.updated.v2' })).toEqual([]);
      await api.patch(pathOf(open), { allowedIps: ['127.0.0.1'] });
      expect((await api.patch(path, { requireAllowedIps: true })).status).toBe(200);
    });

    it('applies to new writes only with enforce: "new", and the event names the exceptions', async () => {
      const open = await aCredential(api, operationId);
      const path = `/v1/operations/${operationId}`;
      const done = await api.patch(path, { requireAllowedIps: true, enforce: 'new' });
      expect([done.status, done.body['requireAllowedIps'], 'enforce' in done.body]).toEqual([200, true, false]);
      const [event] = await api.events({ subject: operationId, type: 'operation.updated.v2' });
      expect(event?.data).toEqual({
        before: { requireAllowedIps: false },
        after: { requireAllowedIps: true },
        toleratedCredentialIds: [open.id],
      });
      expect((await api.patch(pathOf(open), { description: 'still there' })).status).toBe(200);
      const path2 = `${path}/credentials`;
      expect(problem(await api.post<ProblemBody>(path2, { name: 'x' }))).toEqual([
        400,
        'urn:latchkey:problem:allowed-ips-required',
      ]);
      expect((await api.patch(path, { name: unique('renamed') })).status).toBe(200); // no new rule, no new check
      expect((await api.patch<ProblemBody>(path, { enforce: 'old' })).status).toBe(400);
    });

    it('leaves no gap for a credential that is created at the same moment', async () => {
      const path = `/v1/operations/${operationId}`;
      const [switched, ...made] = await Promise.all([
        api.patch(path, { requireAllowedIps: true }),
        ...[0, 1, 2].map((n) => api.post(`${path}/credentials`, { name: `robot ${n}` })),
      ]);
      const created = made.filter(({ status }) => status === 201).length;
      if (switched.status === 200) expect(created).toBe(0);
      else expect([switched.status, created > 0]).toEqual([409, true]);
    });
  });
});
