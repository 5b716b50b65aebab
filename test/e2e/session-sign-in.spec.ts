import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Api, basic } from '../support/api.ts';
import type { ProblemBody } from '../support/api.ts';
import { aUser, unique } from '../support/builders.ts';
import { ADMIN, Service, startService, startServices } from '../support/service.ts';

interface SessionBody {
  readonly user: { readonly id: string; readonly username: string; readonly roles: string[] };
  readonly method: string;
  readonly createdAt: string;
  readonly idleExpiresAt: string;
  readonly expiresAt: string;
}

const MINUTE = 60_000;
let services: Service[];
let admin: Api;
let other: Api;

beforeAll(async () => {
  services = await startServices(2);
  admin = new Api(services[0]!.url);
  other = new Api(services[1]!.url);
});
afterAll(async () => {
  await Promise.all(services.map((service) => service.stop()));
  await services[0]!.database.drop();
});

describe('signing in to a session', () => {
  it('answers 204 with a cookie that is limited to this host and invisible to scripts', async () => {
    const { status, headers, text } = await admin.as(null).post('/v1/session', ADMIN);
    expect([status, text]).toEqual([204, '']);
    expect(headers.getSetCookie()).toEqual([
      expect.stringMatching(/^__Host-latchkey=lk_ss_[0-9A-Za-z]{49}; Path=\/; HttpOnly; SameSite=Lax; Secure$/),
    ]);
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it('answers with a cookie for plain http where PUBLIC_URL is a loopback address', async () => {
    const { database } = services[0]!;
    const local = await new Service(database, { env: { PUBLIC_URL: 'http://127.0.0.1:3000' } }).start();
    try {
      const { headers } = await new Api(local.url, null).post('/v1/session', ADMIN);
      expect(headers.getSetCookie()).toEqual([
        expect.stringMatching(/^latchkey=lk_ss_[0-9A-Za-z]{49}; Path=\/; HttpOnly; SameSite=Lax$/),
      ]);
    } finally {
      await local.stop();
    }
  });

  it('changes nothing for a request with HTTP Basic or a bearer token: its cookie is ignored', async () => {
    const [{ headers }, auditor] = [await admin.inSession(ADMIN), await aUser(admin, ['auditor'])];
    const write = (authorization: string, cookie: string): ReturnType<Api['post']> =>
      admin.as(null).post('/v1/operations', { name: unique('no') }, { headers: { ...headers, authorization, cookie } });
    const live = headers['cookie'] ?? '';
    expect((await write(basic(auditor), live)).status).toBe(403);
    expect((await write('Bearer lk_ak_none', live)).status).toBe(401);
    expect((await write(basic(ADMIN), '__Host-latchkey=none')).status).toBe(201);
  });

  it('shows the signed-in person and the end of the session, on every instance', async () => {
    const person = await aUser(admin, ['auditor']);
    const session = await admin.inSession({ ...person, username: person.username.toUpperCase() });
    for (const { url } of [admin, other]) {
      const response = await fetch(`${url}/v1/session`, { headers: session.headers });
      const body = (await response.json()) as SessionBody;
      expect(body).toMatchObject({
        user: { id: person.id, username: person.username, roles: ['auditor'] },
        method: 'password',
      });
      const start = Date.parse(body.createdAt);
      expect(Date.parse(body.idleExpiresAt) - start).toBe(30 * MINUTE);
      expect(Date.parse(body.expiresAt) - start).toBe(12 * 60 * MINUTE);
    }
  });

  it('refuses a wrong password as HTTP Basic does, and sets no cookie', async () => {
    const { username } = await aUser(admin, ['auditor']);
    for (const body of [
      { username, password: 'wrong horse battery' },
      { username: unique('nobody'), password: 'wrong horse battery' },
    ]) {
      const refused = await admin.as(null).post<ProblemBody>('/v1/session', body);
      expect(refused.body).toMatchObject({
        status: 401,
        type: 'urn:latchkey:problem:unauthenticated',
        detail: 'The user name or password is wrong.',
      });
      expect(refused.headers.getSetCookie()).toEqual([]);
    }
  });

  it('challenges a page’s script without opening the browser’s sign-in dialog', async () => {
    const asScript = { headers: { 'sec-fetch-dest': 'empty' } };
    const { status, headers } = await admin.as(null).get('/v1/me', asScript);
    expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    const plain = await admin.as(null).get('/v1/me');
    expect(plain.headers.get('www-authenticate')).toContain('Basic');
  });

  it.each([
    ['no body', undefined, ''],
    ['a list', [], ''],
    ['a missing password', { username: 'ada' }, '/password'],
    ['an empty name', { username: '', password: 'x' }, '/username'],
    ['a name that is an operator', { username: { $ne: null }, password: 'x' }, '/username'],
    ['a password that is a list', { username: 'ada', password: ['x'] }, '/password'],
    ['a password of a megabyte', { username: 'ada', password: 'x'.repeat(1_025) }, '/password'],
    ['an unknown member', { username: 'ada', password: 'x', constructor: 'x' }, '/constructor'],
  ])('refuses %s with 400', async (_what, body, pointer) => {
    const refused = await admin.as(null).post<ProblemBody>('/v1/session', body);
    expect(refused.status).toBe(400);
    expect(refused.body.errors?.map((fault) => fault.pointer)).toContain(pointer);
  });

  it('accepts only JSON, so that a form on another site cannot sign anyone in', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await admin
      .as(null)
      .call('POST', '/v1/session', { raw: 'username=admin&password=x', headers: form });
    expect(answer.status).toBe(415);
    const crossSite = { headers: { 'sec-fetch-site': 'cross-site' } };
    expect((await admin.as(null).post('/v1/session', ADMIN, crossSite)).status).toBe(403);
  });

  it('limits guessing together with HTTP Basic', async () => {
    const limited = await startService({ database: services[0]!.database, env: { GUESS_LIMIT_PER_CLIENT: '4' } });
    try {
      const there = new Api(limited.url, null);
      const victim = await aUser(admin, ['auditor']);
      const wrong = { username: victim.username, password: 'wrong horse battery' };
      for (let i = 0; i < 2; i += 1) {
        expect((await there.post('/v1/session', wrong)).status).toBe(401);
        expect((await there.as(wrong).get('/v1/me')).status).toBe(401);
      }
      const refused = await there.post<ProblemBody>('/v1/session', { ...wrong, password: victim.password });
      expect(refused.body).toMatchObject({ status: 429, type: 'urn:latchkey:problem:too-many-attempts' });
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(200);
    } finally {
      await limited.stop();
    }
  });
});
