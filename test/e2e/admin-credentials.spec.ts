import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Api } from '../support/api.ts';
import type { Answer, CredentialBody, PageBody, ProblemBody } from '../support/api.ts';
import { aCredential, aResourceServer, anApi, anOperation, pathOf, unique } from '../support/builders.ts';
import { startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';

interface ApiRow {
  readonly key: string;
  readonly added: boolean;
}
interface TokenRow {
  readonly id: string;
  readonly issuedAt: string;
  readonly expiresAt: string;
  readonly scope: string;
  readonly issuedTo: string | null;
}

describe('credentials', () => {
  let service: Service;
  let api: Api;
  let operationId: string;
  let path: string;

  beforeAll(async () => {
    service = await startService();
    api = new Api(service.url);
  });
  afterAll(() => service.discard());
  beforeEach(async () => {
    operationId = (await anOperation(api)).id;
    path = `/v1/operations/${operationId}/credentials`;
  });

  const isActive = async (server: { username: string; password: string }, token: string): Promise<unknown> =>
    (await api.introspect(server, token, '127.0.0.1')).body['active'];
  const tokenOf = async (client: CredentialBody): Promise<string> =>
    (await api.token(client)).body['access_token'] as string;

  it('are created with documented defaults, and later shown without their secret', async () => {
    const name = unique('robot');
    const answer = await api.post<CredentialBody>(path, { name });
    expect(answer.status).toBe(201);
    const { body } = answer;
    expect(answer.headers.get('location')).toBe(`${path}/${body.id}`);
    expect(answer.etag).toBe('"v1"');
    const { clientSecret, ...shown } = body;
    expect(clientSecret).toMatch(/^lk_cs_[0-9A-Za-z]{49}$/);
    expect(shown).toEqual({
      id: body.id,
      operationId,
      name,
      owner: null,
      contact: null,
      labels: {},
      description: '',
      clientId: expect.stringMatching(/^lk_ci_[0-9A-Za-z]{24}$/),
      apis: [],
      allowedIps: [],
      unrestrictedIps: true,
      status: 'active',
      expiresAt: null,
      tokenTtlSeconds: 3600,
      tokenLimitPolicy: 'reject',
      secrets: [{ id: expect.any(String), createdAt: body.createdAt, expiresAt: null, lastUsedAt: null }],
      liveTokens: 0,
      lastUsedAt: null,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      createdBy: expect.any(String),
      updatedAt: body.createdAt,
      updatedBy: body.createdBy,
    });
    const read = await api.get(`${path}/${body.id}`);
    expect(read.body).toEqual(shown);
    expect(read.etag).toBe('"v1"');
    const listed = await api.get<PageBody<CredentialBody>>(path);
    expect(listed.body).toEqual({ items: [shown], nextCursor: null });
  });

  it('accept every attribute on create and on edit, normalised', async () => {
    const [first, second] = [await anApi(api), await anApi(api)];
    const expiresAt = '2099-01-31T12:00:00+02:00';
    const made = await api.post<CredentialBody>(path, {
      name: 'Cafe\u0301',
      description: 'Two\nlines',
      apis: [second.key, first.key, second.key],
      allowedIps: ['2001:DB8::1', '::ffff:192.0.2.7', '192.0.2.7', '10.0.0.0/8'],
      expiresAt,
      tokenTtlSeconds: 60,
      tokenLimitPolicy: 'evict_oldest',
    });
    expect(made.status).toBe(201);
    const apis = [first.key, second.key].sort();
    expect(made.body).toMatchObject({
      name: 'Caf\u00e9',
      description: 'Two\nlines',
      apis,
      unrestrictedIps: false,
      expiresAt: '2099-01-31T10:00:00.000Z',
      tokenTtlSeconds: 60,
      tokenLimitPolicy: 'evict_oldest',
    });
    expect([...made.body.allowedIps].sort()).toEqual(['10.0.0.0/8', '192.0.2.7', '2001:db8::1']);
    const changes = {
      name: 'Tea',
      description: '',
      apis: [first.key],
      allowedIps: [],
      status: 'disabled',
      expiresAt: null,
      tokenTtlSeconds: 3600,
      tokenLimitPolicy: 'reject',
    };
    const edited = await api.patch<CredentialBody>(pathOf(made.body), changes, { ifMatch: made.etag });
    expect(edited.status).toBe(200);
    expect(edited.etag).toBe('"v2"');
    expect(edited.body).toMatchObject({ ...changes, unrestrictedIps: true });
    const [event] = await api.events({ subject: made.body.id, type: 'credential.updated.v2' });
    const before = Object.fromEntries(
      Object.keys(changes).map((name) => [name, made.body[name as keyof CredentialBody]]),
    );
    expect(event?.data).toEqual({ before, after: changes });
  });

  it('are limited to ten per operation; disabled ones count, deleted ones do not', async () => {
    const made = await Promise.all(Array.from({ length: 10 }, () => aCredential(api, operationId)));
    const first = made[0]!;
    const eleventh = (): Promise<Answer<ProblemBody>> => api.post<ProblemBody>(path, { name: unique('eleventh') });
    const refused = await eleventh();
    expect([refused.status, refused.body.type]).toEqual([409, 'urn:latchkey:problem:credential-limit']);
    expect((await api.patch(pathOf(first), { status: 'disabled' })).status).toBe(200);
    expect((await eleventh()).status).toBe(409);
    expect((await api.delete(pathOf(first))).status).toBe(204);
    expect((await eleventh()).status).toBe(201);
    expect((await api.get(`/v1/operations/${operationId}`)).body['credentialCount']).toBe(10);
  });

  it('list the catalogue with the selected APIs, which can be set, added, removed and cleared in one call', async () => {
    const [a, b, c] = (await Promise.all([anApi(api), anApi(api), anApi(api)])).map(({ key }) => key).sort() as [
      string,
      string,
      string,
    ];
    const credential = await aCredential(api, operationId, { apis: [a] });
    const apis = `${pathOf(credential)}/apis`;
    const added = ({ body }: Answer<{ items: ApiRow[] }>): string[] =>
      body.items.filter((row) => row.added).map(({ key }) => key);
    const before = await api.get<{ items: ApiRow[] }>(apis);
    expect(added(before)).toEqual([a]);
    const keys = before.body.items.map(({ key }) => key);
    expect(keys).toEqual([...keys].sort());
    expect(keys).toEqual(expect.arrayContaining([a, b, c]));
    expect(before.etag).toBe('"v1"');
    const set = await api.put<{ items: ApiRow[] }>(apis, { apis: [c, b] }, { ifMatch: before.etag });
    expect([set.status, set.etag, added(set)]).toEqual([200, '"v2"', [b, c]]);
    const changed = await api.patch<{ items: ApiRow[] }>(apis, { add: [a, c], remove: [b] }, { ifMatch: set.etag });
    expect([changed.status, changed.etag, added(changed)]).toEqual([200, '"v3"', [a, c]]);
    const none = await api.delete<{ items: ApiRow[] }>(apis, { ifMatch: changed.etag });
    expect([none.status, none.etag, added(none)]).toEqual([200, '"v4"', []]);
    expect((await api.get<CredentialBody>(pathOf(credential))).body.apis).toEqual([]);
    expect((await api.events({ subject: credential.id, type: 'credential.updated.v2' })).length).toBe(3);
  });

  it('lose an API that is force-deleted from the catalogue, with one event each, and so do their tokens', async () => {
    const [kept, leaving] = [await anApi(api), await anApi(api)];
    const credentials = await Promise.all(
      [0, 1].map(() => aCredential(api, operationId, { apis: [kept.key, leaving.key] })),
    );
    const server = await aResourceServer(api, [kept.key]);
    const token = await tokenOf(credentials[0]!);
    const refused = await api.delete<ProblemBody>(`/v1/apis/${leaving.key}`);
    expect([refused.status, refused.body.type]).toEqual([409, 'urn:latchkey:problem:api-in-use']);
    expect((await api.delete(`/v1/apis/${leaving.key}?force=true`)).status).toBe(204);
    for (const { id, ...rest } of credentials) {
      expect((await api.get<CredentialBody>(pathOf({ id, ...rest }))).body.apis).toEqual([kept.key]);
      const events = await api.events({ subject: id, type: 'credential.updated.v2' });
      const before = [kept.key, leaving.key].sort();
      expect(events.map(({ data }) => data)).toEqual([{ before: { apis: before }, after: { apis: [kept.key] } }]);
    }
    expect((await api.introspect(server, token, '127.0.0.1')).body).toMatchObject({ active: true, scope: kept.key });
  });

  it('rotate their secret: the old one works during the overlap, at most two are live, and compromised ends all immediately', async () => {
    const { key } = await anApi(api);
    const credential = await aCredential(api, operationId, { apis: [key] });
    const server = await aResourceServer(api, [key]);
    const rotate = `${pathOf(credential)}/rotate-secret`;
    const second = await api.post<CredentialBody>(rotate, { overlapSeconds: 604_800 });
    expect(second.status).toBe(200);
    expect(second.body.clientSecret).not.toBe(credential.clientSecret);
    expect(second.body.secrets.map(({ expiresAt }) => expiresAt === null)).toEqual([true, false]);
    expect((await api.token(credential)).status).toBe(200);
    expect((await api.token(second.body)).status).toBe(200);
    const used = (await api.get<CredentialBody>(pathOf(credential))).body;
    expect(used.secrets.map(({ lastUsedAt }) => lastUsedAt !== null)).toEqual([true, true]);
    expect([used.liveTokens, used.lastUsedAt !== null]).toEqual([2, true]);
    const third = await api.post<CredentialBody>(rotate, { overlapSeconds: 60, endOldest: true });
    expect(third.body.secrets).toHaveLength(2);
    expect((await api.token(credential)).status).toBe(401);
    expect((await api.token(second.body)).status).toBe(200);
    const token = await tokenOf(third.body);
    expect(await isActive(server, token)).toBe(true);
    const fourth = await api.post<CredentialBody>(rotate, { compromised: true, overlapSeconds: 60 });
    expect([fourth.status, fourth.body.secrets.length, fourth.body.liveTokens]).toEqual([200, 1, 0]);
    expect(await isActive(server, token)).toBe(false);
    for (const old of [second.body, third.body]) expect((await api.token(old)).status).toBe(401);
    expect((await api.token(fourth.body)).status).toBe(200);
    const fifth = await api.post<CredentialBody>(rotate); // no body at all: the old one ends at once
    expect(fifth.body.secrets).toHaveLength(1);
    expect((await api.token(fourth.body)).status).toBe(401);
    expect((await api.post<ProblemBody>(rotate, { overlapSeconds: 604_801 })).status).toBe(400);
    const events = await api.events({ subject: credential.id, type: 'credential.secret-rotated.v2' });
    expect(events.map(({ data }) => data['compromised'])).toEqual([false, true, false, false]);
  });

  it('list their live tokens, and revoke one or all of them immediately', async () => {
    const { key } = await anApi(api);
    const credential = await aCredential(api, operationId, { apis: [key], tokenTtlSeconds: 600 });
    const server = await aResourceServer(api, [key]);
    const tokens = [await tokenOf(credential), await tokenOf(credential), await tokenOf(credential)];
    const path = `${pathOf(credential)}/tokens`;
    const { status, body, text } = await api.get<{ items: TokenRow[] }>(path);
    expect(status).toBe(200);
    expect(body.items).toHaveLength(3);
    for (const row of body.items) {
      expect(row).toEqual({
        id: expect.any(String),
        issuedAt: expect.any(String),
        expiresAt: expect.any(String),
        scope: key,
        issuedTo: '127.0.0.1',
      });
      // an expiry is a whole second: that is all that introspection can say
      const lifeMs = Date.parse(row.expiresAt) - Date.parse(row.issuedAt);
      expect(lifeMs).toBeGreaterThan(599_000);
      expect(lifeMs).toBeLessThanOrEqual(600_000);
    }
    for (const token of tokens) expect(text).not.toContain(token.slice(-20));
    expect((await api.call('DELETE', `${path}/${body.items[1]!.id}`)).status).toBe(204);
    expect(await Promise.all(tokens.map((token) => isActive(server, token)))).toEqual([true, false, true]);
    expect((await api.call('DELETE', `${path}/${body.items[1]!.id}`)).status).toBe(404);
    expect((await api.call('DELETE', path)).status).toBe(204);
    expect(await Promise.all(tokens.map((token) => isActive(server, token)))).toEqual([false, false, false]);
    expect((await api.get<{ items: TokenRow[] }>(path)).body).toEqual({ items: [] });
    expect((await api.call('DELETE', path)).status).toBe(204); // nothing to end is no error
    const events = await api.events({ subject: credential.id, type: 'token.revoked.v1' });
    expect(events.map(({ data }) => data['count'])).toEqual([2, 1]);
  });

  it('are gone with their tokens after deletion, and an operation with credentials cannot be deleted', async () => {
    const { key } = await anApi(api);
    const credential = await aCredential(api, operationId, { apis: [key] });
    const server = await aResourceServer(api, [key]);
    const token = await tokenOf(credential);
    const refused = await api.delete<ProblemBody>(`/v1/operations/${operationId}`);
    expect([refused.status, refused.body.type]).toEqual([409, 'urn:latchkey:problem:operation-not-empty']);
    const deleted = await api.delete(pathOf(credential));
    expect([deleted.status, deleted.text]).toEqual([204, '']);
    expect((await api.introspect(server, token, '127.0.0.1')).text).toBe('{"active":false}');
    for (const at of ['', '/apis', '/tokens']) expect((await api.get(`${pathOf(credential)}${at}`)).status).toBe(404);
    expect((await api.delete(pathOf(credential))).status).toBe(404);
    expect((await api.delete(`/v1/operations/${operationId}`)).status).toBe(204);
    expect((await api.get(path)).status).toBe(404);
  });
});
