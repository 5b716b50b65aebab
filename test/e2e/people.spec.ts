import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Api } from '../support/api.ts';
import type { EventBody, PageBody, ProblemBody } from '../support/api.ts';
import { aCredential, aUser, anOperation, unique } from '../support/builders.ts';
import { CompanyProvider } from '../support/company-provider.ts';
import { eventually, startServices } from '../support/service.ts';
import type { Service } from '../support/service.ts';

interface UserBody {
  readonly id: string;
  readonly username: string;
  readonly kind: string;
  readonly provider: string;
  readonly status: string;
  readonly roles: string[];
  readonly auditedOperationIds: string[] | null;
  readonly lastSignInAt: string | null;
}

interface KeyBody {
  readonly id: string;
  readonly name: string;
  readonly apiKey: string | null;
  readonly lastUsedAt: string | null;
}

let services: Service[];
let provider: CompanyProvider;
let admin: Api;
let other: Api;

beforeAll(async () => {
  provider = await CompanyProvider.create();
  await provider.start('http://127.0.0.1:1');
  services = await startServices(2, { env: provider.env });
  admin = new Api(services[0]!.url);
  other = new Api(services[1]!.url);
}, 240_000);
afterAll(async () => {
  await Promise.all(services.map((service) => service.stop()));
  await provider.stop();
  await services[0]!.database.drop();
});

/** The statuses that someone gets at each instance. */
async function statuses(who: Parameters<Api['as']>[0], path = '/v1/me'): Promise<number[]> {
  const answers = await Promise.all([admin, other].map((api) => api.as(who).get(path)));
  return answers.map(({ status }) => status);
}

async function aService(overrides: object = {}): Promise<UserBody> {
  const body = { username: unique('robot'), kind: 'service', roles: ['auditor'], ...overrides };
  const made = await admin.post<UserBody>('/v1/users', body);
  expect([made.status, made.text]).toEqual([201, made.text]);
  return made.body;
}

async function aKey(userId: string, overrides: object = {}): Promise<{ id: string; bearer: string }> {
  const made = await admin.post<KeyBody>(`/v1/users/${userId}/keys`, { name: unique('key'), ...overrides });
  expect([made.status, made.text]).toEqual([201, made.text]);
  return { id: made.body.id, bearer: made.body.apiKey ?? '' };
}

describe('a disabled person', () => {
  it('is kept out on every instance, by password and session, until enabled; sessions do not come back', async () => {
    const person = await aUser(admin, ['auditor']);
    const session = await admin.inSession(person);
    const cookie = { cookie: session.headers['cookie'] ?? '' };
    expect(await statuses(person)).toEqual([200, 200]);
    expect((await admin.patch(`/v1/users/${person.id}`, { status: 'disabled' })).status).toBe(200);
    expect(await statuses(person)).toEqual([401, 401]);
    expect(await statuses(cookie)).toEqual([401, 401]);
    const refused = await admin.as(person).get<ProblemBody>('/v1/me');
    expect(refused.body.detail).toBe('The user name or password is wrong.');
    expect((await admin.as(null).post('/v1/session', pairOf(person))).status).toBe(401);
    expect((await admin.patch(`/v1/users/${person.id}`, { status: 'active' })).status).toBe(200);
    expect(await statuses(person)).toEqual([200, 200]);
    expect(await statuses(cookie)).toEqual([401, 401]);
    const [enabled, disabled] = await admin.events({ subject: person.id, type: 'user.updated.v2' });
    expect(disabled?.data).toMatchObject({ before: { status: 'active' }, after: { status: 'disabled' } });
    expect(enabled?.data).toMatchObject({ before: { status: 'disabled' }, after: { status: 'active' } });
  });

  it('may be one of the OpenID Connect provider: their bearer tokens are worth nothing here', async () => {
    const name = unique('ada');
    provider.groups.set(name, ['auditor']);
    const bearer = { bearer: await provider.bearer(name) };
    // two first calls at the same time make one user
    expect(await statuses(bearer)).toEqual([200, 200]);
    const users = (await admin.all<UserBody>('/v1/users')).filter(({ username }) => username === name);
    expect(users).toMatchObject([{ kind: 'person', provider: 'oidc', status: 'active', roles: ['auditor'] }]);
    const [user] = users;
    await eventually(async () => (await admin.get<UserBody>(`/v1/users/${user!.id}`)).body.lastSignInAt !== null);
    expect((await admin.patch(`/v1/users/${user!.id}`, { status: 'disabled' })).status).toBe(200);
    expect(await statuses(bearer)).toEqual([401, 401]);
    expect(await statuses({ bearer: await provider.bearer(name, { groups: ['platform-admin'] }) })).toEqual([401, 401]);
  });

  it('cannot be the last enabled platform-admin, also when two disable each other', async () => {
    const [ada, eve] = [await aUser(admin, ['platform-admin']), await aUser(admin, ['platform-admin'])];
    const me = (await admin.get<UserBody>('/v1/me')).body;
    expect((await admin.as(ada).patch(`/v1/users/${me.id}`, { status: 'disabled' })).status).toBe(200);
    const answers = await Promise.all([
      admin.as(ada).patch(`/v1/users/${eve.id}`, { status: 'disabled' }),
      other.as(eve).patch(`/v1/users/${ada.id}`, { status: 'disabled' }),
    ]);
    const done = answers.filter(({ status }) => status === 200);
    expect(done).toHaveLength(1);
    const winner = answers[0].status === 200 ? ada : eve;
    for (const refused of [
      await admin.as(winner).patch<ProblemBody>(`/v1/users/${winner.id}`, { status: 'disabled' }),
      await admin.as(winner).patch<ProblemBody>(`/v1/users/${winner.id}`, { roles: ['auditor'] }),
      await admin.as(winner).delete<ProblemBody>(`/v1/users/${winner.id}`),
    ]) {
      expect(refused.body).toMatchObject({ status: 409, type: 'urn:latchkey:problem:last-platform-admin' });
    }
    expect((await admin.as(winner).patch(`/v1/users/${me.id}`, { status: 'active' })).status).toBe(200);
    expect((await admin.get('/v1/me')).status).toBe(200);
  });
});

describe('a person of the OpenID Connect provider', () => {
  it('gets name and roles there, and has no password here', async () => {
    const name = unique('grace');
    provider.groups.set(name, ['operation-admin']);
    const bearer = { bearer: await provider.bearer(name) };
    const me = await admin.as(bearer).get<UserBody>('/v1/me');
    expect(me.body).toMatchObject({ username: name, provider: 'oidc', roles: ['operation-admin'] });
    const path = `/v1/users/${me.body.id}`;
    const refused = await admin.patch<ProblemBody>(path, { roles: ['platform-admin'], username: 'other' });
    expect(refused.body).toMatchObject({ status: 409, type: 'urn:latchkey:problem:managed-by-provider' });
    expect(refused.body.errors?.map(({ pointer }) => pointer)).toEqual(['/username', '/roles']);
    const password = { password: 'quartz violin meadow' };
    expect((await admin.patch<ProblemBody>(path, password)).body.type).toBe('urn:latchkey:problem:no-local-password');
    const [made] = await admin.events({ subject: me.body.id, type: 'user.created.v2' });
    expect(made).toMatchObject({ actor: { type: 'user', id: me.body.id }, data: { after: { oidcSubject: name } } });
  });
});

describe('a service user', () => {
  it('works by an API key, under its own name in the log, and never as platform-admin', async () => {
    const { id: operationId } = await anOperation(admin);
    const robot = await aService({ roles: ['operation-admin'], operationIds: [operationId] });
    expect(robot).toMatchObject({ kind: 'service', provider: 'local', status: 'active' });
    const key = await aKey(robot.id);
    expect(key.bearer).toMatch(/^lk_ak_[0-9A-Za-z]{49}$/);
    const credential = await aCredential(admin.as(key), operationId);
    const [event] = await admin.events({ subject: credential.id, type: 'credential.created.v1' });
    expect(event?.actor).toMatchObject({ type: 'service', id: robot.id, ip: '127.0.0.1' });
    expect((await admin.as(key).post('/v1/users', {})).status).toBe(403);
    expect((await admin.as(key).post(`/v1/users/${robot.id}/keys`, { name: 'more' })).status).toBe(403);
    for (const answer of [
      await admin.post<ProblemBody>('/v1/users', { username: unique('r'), kind: 'service', roles: ['platform-admin'] }),
      await admin.patch<ProblemBody>(`/v1/users/${robot.id}`, { roles: ['auditor', 'platform-admin'] }),
    ]) {
      expect([answer.status, answer.body.errors?.[0]?.pointer]).toEqual([400, expect.stringMatching(/^\/roles\/\d$/)]);
    }
  });

  it('has no password, and a person no API keys', async () => {
    const body = { username: unique('r'), kind: 'service', roles: ['auditor'], password: 'quartz violin meadow' };
    expect((await admin.post<ProblemBody>('/v1/users', body)).body.errors?.[0]?.pointer).toBe('/password');
    const bare = { username: unique('p'), roles: ['auditor'] };
    expect((await admin.post<ProblemBody>('/v1/users', bare)).body.errors?.[0]).toMatchObject({
      pointer: '/password',
      code: 'required',
    });
    const person = await aUser(admin, ['auditor']);
    const refused = await admin.post<ProblemBody>(`/v1/users/${person.id}/keys`, { name: 'no' });
    expect(refused.body).toMatchObject({ status: 409, type: 'urn:latchkey:problem:not-a-service' });
    const robot = await aService();
    expect(await statuses({ username: robot.username, password: 'quartz violin meadow' })).toEqual([401, 401]);
  });

  it('has at most two keys, also when they are made at the same time; each is shown once', async () => {
    const robot = await aService();
    const path = `/v1/users/${robot.id}/keys`;
    const made = await Promise.all(Array.from({ length: 5 }, () => admin.post<KeyBody>(path, { name: unique('key') })));
    expect(made.map(({ status }) => status).sort()).toEqual([201, 201, 409, 409, 409]);
    const list = await admin.get<{ items: KeyBody[] }>(path);
    expect(list.body.items).toHaveLength(2);
    const [first] = made.filter(({ status }) => status === 201);
    expect(first!.headers.get('location')).toBe(`${path}/${first!.body.id}`);
    const stored = await (await services[0]!.database.collection('api_keys')).find().toArray();
    const everywhere = JSON.stringify(stored) + list.text + services.flatMap(({ lines }) => lines).join();
    expect(everywhere).not.toContain(first!.body.apiKey);
  });

  it('gets one key for one Idempotency-Key, and not the key again', async () => {
    const robot = await aService();
    const path = `/v1/users/${robot.id}/keys`;
    const [body, idempotencyKey] = [{ name: 'Terraform' }, unique('key')];
    const first = await admin.post<KeyBody>(path, body, { idempotencyKey });
    const replay = await admin.post<KeyBody>(path, body, { idempotencyKey });
    expect([replay.status, replay.body.id, replay.body.apiKey]).toEqual([200, first.body.id, null]);
  });

  it('is out on every instance when its key is deleted or expires, when it is disabled, and from other addresses', async () => {
    const robot = await aService();
    const key = await aKey(robot.id, { allowedIps: ['127.0.0.0/8'] });
    expect(await statuses(key)).toEqual([200, 200]);
    expect((await admin.patch(`/v1/users/${robot.id}`, { status: 'disabled' })).status).toBe(200);
    expect(await statuses(key)).toEqual([401, 401]);
    expect((await admin.patch(`/v1/users/${robot.id}`, { status: 'active' })).status).toBe(200);
    expect(await statuses(key)).toEqual([200, 200]);
    expect((await admin.call('DELETE', `/v1/users/${robot.id}/keys/${key.id}`)).status).toBe(204);
    expect(await statuses(key)).toEqual([401, 401]);
    const elsewhere = await aKey(robot.id, { allowedIps: ['192.0.2.0/24'] });
    expect(await statuses(elsewhere)).toEqual([401, 401]);
    const short = await aKey(robot.id, { expiresAt: new Date(Date.now() + 3_600_000).toISOString() });
    const keys = await services[0]!.database.collection('api_keys');
    await keys.updateOne({ keyId: short.id }, { $set: { expiresAt: new Date(Date.now() - 1_000) } });
    expect(await statuses(short)).toEqual([401, 401]);
    // what has expired leaves its place to a new one
    expect(await statuses(await aKey(robot.id))).toEqual([200, 200]);
  });

  it.each([
    ['a past end', { expiresAt: '2020-01-01T00:00:00Z' }, '/expiresAt'],
    ['an address that is none', { allowedIps: ['010.0.0.1'] }, '/allowedIps/0'],
    ['an empty name', { name: '' }, '/name'],
    ['an unknown member', { apiKey: 'lk_ak_x' }, '/apiKey'],
    ['an operator for a name', { name: { $ne: null } }, '/name'],
  ])('gets no key with %s', async (_what, overrides, pointer) => {
    const { id } = await aService();
    const refused = await admin.post<ProblemBody>(`/v1/users/${id}/keys`, { name: 'key', ...overrides });
    expect([refused.status, refused.body.errors?.[0]?.pointer]).toEqual([400, pointer]);
  });

  it('has keys that are good under /v1 only', async () => {
    const key = await aKey((await aService()).id);
    const authorization = `Bearer ${key.bearer}`;
    const answer = await admin.as(null).get('/oauth2/forward-auth?api=x', { headers: { authorization } });
    expect(answer.status).toBe(503); // the gateway has not signed in
    expect(await statuses({ bearer: `${key.bearer.slice(0, -1)}${key.bearer.endsWith('0') ? '1' : '0'}` })).toEqual([
      401, 401,
    ]);
  });
});

describe('an auditor of named operations', () => {
  it('sees the events, exports, chain state and checkpoints of those, and nothing of others or the platform', async () => {
    const [own, foreign] = [await anOperation(admin), await anOperation(admin)];
    const person = await aUser(admin, ['auditor']);
    expect((await admin.patch(`/v1/users/${person.id}`, { auditedOperationIds: [own.id] })).status).toBe(200);
    const auditor = admin.as(person);
    const events = await auditor.all<EventBody>('/v1/events');
    expect([...new Set(events.map(({ operationId }) => operationId))]).toEqual([own.id]);
    for (const path of [
      '/v1/events',
      '/v1/events/export',
      '/v1/events/verify',
      '/v1/checkpoints',
      '/v1/checkpoints/export',
    ]) {
      const asked = async (id: string): Promise<number> => (await auditor.get(`${path}?operationId=${id}`)).status;
      expect([path, await asked(own.id), await asked(foreign.id), await asked('platform')]).toEqual([
        path,
        200,
        404,
        404,
      ]);
    }
    const exported = await auditor.get('/v1/events/export');
    expect(exported.text).not.toContain(foreign.id);
    const list = await auditor.get<PageBody<{ id: string }>>('/v1/operations');
    expect(list.body.items.map(({ id }) => id)).toEqual([own.id]);
    expect((await auditor.get(`/v1/operations/${foreign.id}`)).status).toBe(404);
    expect((await auditor.post('/v1/checkpoints', {})).status).toBe(403);
    expect((await auditor.post('/v1/checkpoints', { operationId: foreign.id })).status).toBe(404);
    expect((await admin.patch(`/v1/users/${person.id}`, { auditedOperationIds: null })).status).toBe(200);
    expect((await auditor.get('/v1/events?operationId=platform')).status).toBe(200);
  });
});

describe('a user of version 0.1.0', () => {
  it('is an active person with a password', async () => {
    const person = await aUser(admin, ['auditor']);
    const users = await services[0]!.database.collection<{ _id: string }>('users');
    const names = ['kind', 'oidc', 'status', 'auditedOperationIds', 'claimsFrom', 'lastSignInAt'];
    const later: Record<string, ''> = Object.fromEntries(names.map((name) => [name, '']));
    await users.updateOne({ _id: person.id }, { $unset: later });
    expect(await statuses(person)).toEqual([200, 200]);
    const { body } = await admin.get<UserBody>(`/v1/users/${person.id}`);
    expect(body).toMatchObject({ kind: 'person', provider: 'local', status: 'active', auditedOperationIds: null });
    expect((await admin.patch(`/v1/users/${person.id}`, { status: 'disabled' })).status).toBe(200);
    expect(await statuses(person)).toEqual([401, 401]);
  });
});

function pairOf({ username, password }: { username: string; password: string }): object {
  return { username, password };
}
