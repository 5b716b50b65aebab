import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Api } from '../support/api.ts';
import type { ApiBody, ProblemBody } from '../support/api.ts';
import { aCredential, aResourceServer, aUser, anApi, anOperation, pathOf, unique } from '../support/builders.ts';
import { ADMIN, startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';

interface UserBody {
  readonly id: string;
  readonly username: string;
  readonly roles: string[];
  readonly operationIds: string[];
  readonly createdAt: string;
  readonly updatedAt: string;
}

interface ResourceServerBody {
  readonly id: string;
  readonly name: string;
  readonly apis: string[];
  readonly requireClientIp: boolean;
  readonly resourceServerSecret?: string | null;
  readonly notice?: string;
  readonly secrets: { id: string; expiresAt: string | null; lastUsedAt: string | null }[];
}

let service: Service;
let api: Api;
const password = 'correct horse: battery stäple';
const userBody = (overrides: object = {}): object => ({
  username: unique('user'),
  password,
  roles: ['auditor'],
  ...overrides,
});

beforeAll(async () => {
  service = await startService();
  api = new Api(service.url);
});
afterAll(() => service.discard());

describe('users over HTTP', () => {
  it('are created, listed, changed and deleted, and never show a password or its hash', async () => {
    const body = userBody();
    const made = await api.post<UserBody>('/v1/users', body);
    expect(made.status).toBe(201);
    const path = `/v1/users/${made.body.id}`;
    expect(made.headers.get('location')).toBe(path);
    expect(made.etag).toBe('"v1"');
    expect(Object.keys(made.body).sort()).toEqual([
      ...['auditedOperationIds', 'createdAt', 'id', 'kind', 'lastSignInAt', 'operationIds'],
      ...['provider', 'roles', 'status', 'updatedAt', 'username'],
    ]);
    expect((await api.get<UserBody>(path)).body).toEqual(made.body);
    expect((await api.all<UserBody>('/v1/users')).map(({ id }) => id)).toContain(made.body.id);
    expect((await api.call('PATCH', path, { body: {} })).status).toBe(428);
    expect((await api.patch(path, {}, { ifMatch: '"v7"' })).status).toBe(412);
    const changed = await api.patch<UserBody>(path, { roles: ['auditor', 'operation-admin'], operationIds: ['op_x'] });
    expect(changed.body).toMatchObject({ roles: ['auditor', 'operation-admin'], operationIds: ['op_x'] });
    expect(changed.etag).toBe('"v2"');
    expect((await api.delete(path)).status).toBe(204);
    expect((await api.get(path)).status).toBe(404);
    expect(made.text + changed.text + service.lines.join()).not.toMatch(/horse|argon2/);
  });

  it('sign in with passwords of any script, colons included, and see who they are', async () => {
    const { body } = await api.post<UserBody>('/v1/users', userBody());
    const me = await api.as({ username: body.username.toUpperCase(), password }).get<UserBody>('/v1/me');
    expect(me.status).toBe(200);
    expect({ ...me.body, lastSignInAt: null }).toEqual(body);
    const wrong = await api.as({ username: body.username, password: `${password}:JUNK` }).get('/v1/me');
    expect(wrong.status).toBe(401);
    expect(wrong.headers.get('www-authenticate')).toBe('Basic realm="latchkey admin", charset="UTF-8", Bearer');
    expect((await api.as(null).get('/v1/me')).status).toBe(401);
  });

  it.each([
    ['a short password', { password: 'eleven char' }, '/password'],
    ['a long password', { password: 'x'.repeat(257) }, '/password'],
    ['a password with a line break', { password: 'correct\nhorse battery' }, '/password'],
    ['a name with a colon', { username: 'a:b' }, '/username'],
    ['no role', { roles: [] }, '/roles'],
    ['an unknown role', { roles: ['root'] }, '/roles/0'],
    ['an unknown member', { passwordHash: 'x' }, '/passwordHash'],
    ['a name that is an operator', { username: { $ne: null } }, '/username'],
  ])('are refused with %s', async (_what, overrides, pointer) => {
    const answer = await api.post<ProblemBody>('/v1/users', userBody(overrides));
    expect(answer.status).toBe(400);
    expect(answer.body.errors?.map((fault) => fault.pointer)).toContain(pointer);
    expect(answer.text).not.toContain('horse');
  });

  it('have names that are unique regardless of case', async () => {
    const username = unique('Name');
    await api.post('/v1/users', userBody({ username }));
    const again = await api.post<ProblemBody>('/v1/users', userBody({ username: username.toLowerCase() }));
    expect(again.status).toBe(409);
    expect(again.body.type).toBe('urn:latchkey:problem:name-taken');
  });

  it('keep the last platform-admin', async () => {
    const all = await api.all<UserBody>('/v1/users');
    const admin = all.find(({ username }) => username === ADMIN.username)!;
    for (const answer of [
      await api.delete<ProblemBody>(`/v1/users/${admin.id}`),
      await api.patch<ProblemBody>(`/v1/users/${admin.id}`, { roles: ['auditor'] }),
    ]) {
      expect(answer.status).toBe(409);
      expect(answer.body.type).toBe('urn:latchkey:problem:last-platform-admin');
    }
    expect((await api.get('/v1/me')).status).toBe(200);
  });

  it('are created once per Idempotency-Key, and the comparison includes the password', async () => {
    const body = userBody();
    const idempotencyKey = unique('key');
    const first = await api.post<UserBody>('/v1/users', body, { idempotencyKey });
    const replay = await api.post<UserBody>('/v1/users', body, { idempotencyKey });
    expect(replay.body).toEqual(first.body);
    const other = await api.post('/v1/users', { ...body, password: `${password}!` }, { idempotencyKey });
    expect(other.status).toBe(422);
  });
});

describe('password guessing', () => {
  it('gets 429 with Retry-After, for this name at this address only', async () => {
    const limited = await startService({
      database: service.database,
      env: { GUESS_LIMIT_PER_CLIENT: '3', GUESS_LIMIT_PER_ADDRESS: '50' },
    });
    try {
      const there = new Api(limited.url);
      const [victim, other] = [await aUser(there, ['auditor']), await aUser(there, ['auditor'])];
      const guesser = there.as({ ...victim, password: 'wrong horse battery' });
      for (let i = 0; i < 3; i += 1) expect((await guesser.get('/v1/me')).status).toBe(401);
      const refused = await guesser.get<ProblemBody>('/v1/me');
      expect(refused.status).toBe(429);
      expect(refused.body.type).toBe('urn:latchkey:problem:too-many-attempts');
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(200);
      expect((await there.as(victim).get('/v1/me')).status).toBe(429);
      expect((await there.as(other).get('/v1/me')).status).toBe(200);
    } finally {
      await limited.stop();
    }
  });
});

describe('the catalogue over HTTP', () => {
  it('creates APIs with a key that never changes', async () => {
    const made = await api.post<ApiBody>('/v1/apis', { key: unique('invoices'), name: 'Invoices' });
    expect(made.status).toBe(201);
    const path = `/v1/apis/${made.body.key}`;
    expect(made.headers.get('location')).toBe(path);
    expect(made.body).toMatchObject({ description: '' });
    expect((await api.patch<ProblemBody>(path, { key: 'other' })).body.errors?.[0]?.pointer).toBe('/key');
    expect((await api.patch<ApiBody>(path, { description: 'All.' })).body).toMatchObject({ description: 'All.' });
    const again = await api.post<ProblemBody>('/v1/apis', { key: made.body.key, name: 'Another' });
    expect(again.body).toMatchObject({ status: 409, type: 'urn:latchkey:problem:key-taken' });
    for (const key of ['Upper', '-a', '', 'a'.repeat(65), 'a b', 'ä']) {
      const refused = await api.post<ProblemBody>('/v1/apis', { key, name: 'No' });
      expect(refused.body).toMatchObject({ status: 400, errors: [{ pointer: '/key' }] });
    }
  });

  it('deletes an API only if it is unused or with force, which removes it from everything that names it', async () => {
    const [{ key }, operation] = [await anApi(api), await anOperation(api)];
    const credential = await aCredential(api, operation.id, { apis: [key] });
    const server = await aResourceServer(api, [key]);
    const refused = await api.delete<ProblemBody>(`/v1/apis/${key}`);
    expect(refused.body).toMatchObject({ status: 409, type: 'urn:latchkey:problem:api-in-use' });
    expect((await api.delete(`/v1/apis/${key}?force=maybe`)).status).toBe(400);
    expect((await api.delete(`/v1/apis/${key}?force=true`)).status).toBe(204);
    expect((await api.get(`/v1/apis/${key}`)).status).toBe(404);
    expect((await api.get(pathOf(credential))).body).toMatchObject({ apis: [] });
    expect((await api.get(`/v1/resource-servers/${server.id}`)).body).toMatchObject({ apis: [] });
    for (const [subject, type] of [
      [key, 'api.deleted.v1'],
      [credential.id, 'credential.updated.v2'],
      [server.id, 'resource-server.updated.v2'],
    ] as const) {
      expect(await api.events({ subject, type })).toHaveLength(1);
    }
  });
});

describe('resource servers over HTTP', () => {
  it('get their secret once: a replay does not have it', async () => {
    const { key } = await anApi(api);
    const body = { name: unique('gate'), apis: [key] };
    const idempotencyKey = unique('key');
    const made = await api.post<ResourceServerBody>('/v1/resource-servers', body, { idempotencyKey });
    expect(made.status).toBe(201);
    expect(made.body.resourceServerSecret).toMatch(/^lk_rs_[0-9A-Za-z]{49}$/);
    expect(made.headers.get('location')).toBe(`/v1/resource-servers/${made.body.id}`);
    const replay = await api.post<ResourceServerBody>('/v1/resource-servers', body, { idempotencyKey });
    expect(replay.status).toBe(200);
    expect(replay.body).toMatchObject({ id: made.body.id, resourceServerSecret: null });
    expect(replay.body.notice).toBeDefined();
    const read = await api.get<ResourceServerBody>(`/v1/resource-servers/${made.body.id}`);
    const { resourceServerSecret, ...shown } = made.body;
    expect(read.body).toEqual(shown);
    expect(read.body).toMatchObject({ requireClientIp: true, apis: [key] });
    expect(read.text + service.lines.join()).not.toContain(resourceServerSecret);
  });

  it('are refused with an unknown API, which is named by its position', async () => {
    const { key } = await anApi(api);
    const body = { name: unique('gate'), apis: [key, 'no-such-api'] };
    const refused = await api.post<ProblemBody>('/v1/resource-servers', body);
    expect(refused.body).toMatchObject({ status: 400, type: 'urn:latchkey:problem:unknown-api' });
    expect(refused.body.errors).toMatchObject([{ pointer: '/apis/1', code: 'unknown-api' }]);
  });

  it('rotate their secret with and without a body, and check If-Match when it is sent', async () => {
    const server = await aResourceServer(api, []);
    const path = `/v1/resource-servers/${server.id}`;
    const first = await api.post<ResourceServerBody>(`${path}/rotate-secret`, { overlapSeconds: 60 });
    expect(first.status).toBe(200);
    expect(first.body.secrets).toMatchObject([{ expiresAt: null }, { expiresAt: expect.any(String) }]);
    expect(first.etag).toBe('"v2"');
    const stale = await api.post(`${path}/rotate-secret`, {}, { ifMatch: '"v1"' });
    expect(stale.status).toBe(412);
    expect((await api.call('POST', `${path}/rotate-secret`, { ifMatch: '"v2"' })).status).toBe(409);
    expect((await api.delete(`${path}/secrets/${first.body.secrets[1]!.id}`)).status).toBe(204);
    const second = await api.call<ResourceServerBody>('POST', `${path}/rotate-secret`, { ifMatch: '"v3"' });
    expect(second.status).toBe(200);
    expect(second.body.secrets).toHaveLength(1);
    for (const [secret, status] of [
      [server.password, 401],
      [first.body.resourceServerSecret!, 401],
      [second.body.resourceServerSecret!, 200],
    ] as const) {
      expect((await api.introspect({ username: server.id, password: secret }, 'rubbish')).status).toBe(status);
    }
    expect((await api.post(`${path}/rotate-secret`, { overlapSeconds: 604_801 })).status).toBe(400);
    expect(await api.events({ subject: server.id, type: 'resource-server.secret-rotated.v2' })).toHaveLength(2);
  });

  it('are refused from the moment their deletion is answered', async () => {
    const server = await aResourceServer(api, []);
    expect((await api.introspect(server, 'rubbish')).body).toEqual({ active: false });
    expect((await api.delete(`/v1/resource-servers/${server.id}`)).status).toBe(204);
    expect((await api.introspect(server, 'rubbish')).status).toBe(401);
  });
});
