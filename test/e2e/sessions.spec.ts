import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newSessionToken } from '#kernel';
import { Api, cookieOf } from '../support/api.ts';
import type { PageBody, ProblemBody } from '../support/api.ts';
import { aUser, anOperation, unique } from '../support/builders.ts';
import { ADMIN, eventually, startService, startServices } from '../support/service.ts';
import type { Service } from '../support/service.ts';

interface ListedSession {
  readonly id: string;
  readonly createdAt: string;
  readonly lastSeenAt: string;
  readonly ip: string;
  readonly userAgent: string;
  readonly current: boolean;
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

/** The status of the person's own page at each instance. */
async function statuses(session: Api): Promise<number[]> {
  const answers = await Promise.all(
    [admin, other].map(({ url }) => fetch(`${url}/v1/me`, { headers: session.headers })),
  );
  return answers.map(({ status }) => status);
}

describe('a session', () => {
  it('has the rights of its person, and its changes are logged with the session id', async () => {
    const session = await admin.inSession(ADMIN);
    const { id } = await anOperation(session);
    const [event] = await admin.events({ subject: id, type: 'operation.created.v1' });
    const me = await session.get<{ id: string }>('/v1/me');
    expect(event?.actor).toMatchObject({ type: 'user', id: me.body.id });
    const auditor = await admin.inSession(await aUser(admin, ['auditor']));
    expect((await auditor.post('/v1/operations', { name: unique('no') })).status).toBe(403);
  });

  it('refuses changes that come from another site', async () => {
    const { headers } = await admin.inSession(ADMIN);
    const { cookie } = headers as { cookie: string };
    const write = (more: Record<string, string>): ReturnType<Api['post']> =>
      admin.as(null).post('/v1/operations', { name: unique('operation') }, { headers: { cookie, ...more } });
    const foreign: Record<string, string>[] = [
      {},
      { origin: 'https://evil.example' },
      { 'sec-fetch-site': 'cross-site' },
    ];
    for (const more of foreign) {
      const refused = await write(more);
      expect(refused.body).toMatchObject({ status: 403, type: 'urn:latchkey:problem:cross-site-request' });
    }
    expect((await write({ origin: 'https://latchkey.example' })).status).toBe(201);
    expect((await write({ 'sec-fetch-site': 'same-origin' })).status).toBe(201);
    const byPassword = { headers: { 'sec-fetch-site': 'cross-site' } };
    expect((await admin.post('/v1/operations', { name: unique('no') }, byPassword)).status).toBe(403);
  });

  it('ends on every instance when the sign-out is answered', async () => {
    const session = await admin.inSession(await aUser(admin, ['auditor']));
    expect(await statuses(session)).toEqual([200, 200]);
    const out = await session.delete('/v1/session');
    expect(await statuses(session)).toEqual([401, 401]);
    expect(out.status).toBe(204);
    expect(out.headers.getSetCookie()[0]).toMatch(/^__Host-latchkey=; Max-Age=0; Path=\/;/);
    const again = await session.delete<ProblemBody>('/v1/session');
    expect(again.body).toMatchObject({ status: 401, detail: 'Your session has expired. Sign in again.' });
  });

  it('survives a restart', async () => {
    const service = await startService({ database: services[0]!.database });
    const session = await new Api(service.url).inSession(ADMIN);
    await service.kill();
    await service.start();
    try {
      expect(
        (await new Api(service.url).as({ cookie: session.headers['cookie'] ?? '' }).get('/v1/session')).status,
      ).toBe(200);
    } finally {
      await service.stop();
    }
  });

  it.each([
    ['is deleted', (path: string) => admin.delete(path), 401],
    ['loses the role', (path: string) => admin.patch(path, { roles: ['auditor'] }), 403],
    ['gets a new password', (path: string) => admin.patch(path, { password: 'quartz violin meadow' }), 401],
    ['is signed out by an administrator', (path: string) => admin.delete(`${path}/sessions`), 401],
  ])('ends at its next request, on every instance, when its person %s', async (_what, act, status) => {
    const person = await aUser(admin, ['platform-admin']);
    const sessions = [await admin.inSession(person), await other.inSession(person)];
    for (const session of sessions) expect((await session.get('/v1/queues')).status).toBe(200);
    expect((await act(`/v1/users/${person.id}`)).status).toBeLessThan(300);
    for (const session of sessions) {
      for (const { url } of [admin, other]) {
        expect((await fetch(`${url}/v1/queues`, { headers: session.headers })).status).toBe(status);
      }
    }
  });

  it('is the only remaining one after its person changes the password in it', async () => {
    const person = await aUser(admin, ['auditor']);
    const [mine, elsewhere] = [await admin.inSession(person), await other.inSession(person)];
    const change = { currentPassword: person.password, newPassword: 'quartz violin meadow' };
    expect((await mine.put('/v1/me/password', change)).status).toBe(204);
    expect(await statuses(elsewhere)).toEqual([401, 401]);
    expect(await statuses(mine)).toEqual([200, 200]);
  });

  it('expires after the idle limit, but not while it is used', async () => {
    const sessions = await services[0]!.database.collection('sessions');
    const session = await admin.inSession(await aUser(admin, ['auditor']));
    const { body } = await session.get<PageBody<ListedSession>>('/v1/me/sessions');
    const { id } = body.items[0]!;
    const used = async (minutesAgo: number): Promise<void> => {
      const at = new Date(Date.now() - minutesAgo * MINUTE);
      await sessions.updateOne({ sessionId: id }, { $set: { lastSeenAt: at, createdAt: at } });
    };
    await used(29);
    expect(await statuses(session)).toEqual([200, 200]);
    const seen = (await session.get<PageBody<ListedSession>>('/v1/me/sessions')).body.items[0]!.lastSeenAt;
    expect(Date.now() - Date.parse(seen)).toBeLessThan(MINUTE);
    await used(31);
    expect(await statuses(session)).toEqual([401, 401]);
    // what is over is pruned by the store
    const indexes = await sessions.indexes();
    expect(indexes).toContainEqual(expect.objectContaining({ key: { endsAt: 1 }, expireAfterSeconds: 0 }));
  });

  it('does not cause a write per request', async () => {
    const sessions = await services[0]!.database.collection<{ _id: string; sessionId: string }>('sessions');
    const session = await admin.inSession(await aUser(admin, ['auditor']));
    const stored = await sessions.findOne({}, { sort: { createdAt: -1 } });
    for (let i = 0; i < 5; i += 1) await session.get('/v1/me');
    expect(await sessions.findOne({ _id: stored!._id })).toEqual(stored);
  });
});

describe('a person’s sessions', () => {
  it('are listed with the current one marked, and can be ended one by one', async () => {
    const person = await aUser(admin, ['auditor']);
    const body = { username: person.username, password: person.password };
    const signIn = async (agent: string): Promise<Api> => {
      const answer = await admin.as(null).post('/v1/session', body, { headers: { 'user-agent': agent } });
      return admin.as({ cookie: cookieOf(answer.headers) });
    };
    const [first, second] = [await signIn('Browser/1'), await signIn('Browser/2 ü')];
    const { items } = (await second.get<PageBody<ListedSession>>('/v1/me/sessions')).body;
    expect(items).toHaveLength(2);
    const current = items.find((item) => item.current)!;
    const earlier = items.find((item) => !item.current)!;
    expect(current).toMatchObject({ ip: '127.0.0.1', userAgent: expect.stringMatching(/^Browser\/2 \?+$/) });
    expect(earlier).toMatchObject({
      userAgent: 'Browser/1',
      createdAt: expect.any(String),
      lastSeenAt: expect.any(String),
    });
    expect((await second.delete(`/v1/me/sessions/${earlier.id}`)).status).toBe(204);
    expect(await statuses(first)).toEqual([401, 401]);
    expect(await statuses(second)).toEqual([200, 200]);
    expect((await second.delete(`/v1/me/sessions/${earlier.id}`)).status).toBe(404);
    const own = await second.delete(`/v1/me/sessions/${current.id}`);
    expect([own.status, own.headers.getSetCookie().length]).toEqual([204, 1]);
    expect(await statuses(second)).toEqual([401, 401]);
  });

  it('are hidden from other people: their session ids are unknown', async () => {
    const [ada, eve] = [await aUser(admin, ['auditor']), await aUser(admin, ['auditor'])];
    const session = await admin.inSession(ada);
    const { body } = await session.get<PageBody<ListedSession>>('/v1/me/sessions');
    const refused = await admin.as(eve).delete(`/v1/me/sessions/${body.items[0]!.id}`);
    expect(refused.status).toBe(404);
    expect(await statuses(session)).toEqual([200, 200]);
    expect((await admin.as(eve).get<PageBody<ListedSession>>('/v1/me/sessions')).body.items).toEqual([]);
  });

  it('leave events with their start and the reason of their end', async () => {
    const person = await aUser(admin, ['auditor']);
    const session = await admin.inSession(person);
    await session.delete('/v1/session');
    const events = (await admin.events({ subject: person.id }))
      .filter(({ type }) => /^sessions?\./.test(type))
      .reverse();
    expect(events).toMatchObject([
      {
        type: 'session.started.v1',
        actor: { type: 'user', id: person.id, ip: '127.0.0.1' },
        data: { method: 'password' },
      },
      { type: 'sessions.ended.v1', actor: { id: person.id }, data: { reason: 'signed-out' } },
    ]);
    expect(events[1]?.data['sessionIds']).toEqual([events[0]?.data['sessionId']]);
  });

  it('are limited to fifty: one more sign-in ends the least recently used one', async () => {
    const person = await aUser(admin, ['auditor']);
    const first = await admin.inSession(person);
    for (let i = 0; i < 50; i += 1) await admin.inSession(person);
    const { body } = await admin.as(person).get<PageBody<ListedSession>>('/v1/me/sessions');
    expect(body.items).toHaveLength(50);
    await eventually(async () => (await first.get('/v1/me')).status === 401);
  });

  it('can be ended by an administrator without If-Match, for a named user', async () => {
    expect((await admin.call('DELETE', '/v1/users/us_unknown/sessions')).status).toBe(404);
    const { id } = await aUser(admin, ['auditor']);
    expect((await admin.call('DELETE', `/v1/users/${id}/sessions`)).status).toBe(204);
  });
});

describe('the stored session', () => {
  it('has the digest of its cookie, never the cookie', async () => {
    const session = await admin.inSession(ADMIN);
    const [, token = ''] = (session.headers['cookie'] ?? '').split('=');
    const stored = await (await services[0]!.database.collection('sessions')).find().toArray();
    expect(stored.length).toBeGreaterThan(0);
    expect(JSON.stringify(stored) + services.flatMap(({ lines }) => lines).join()).not.toContain(token);
  });

  it('does not turn store errors into a sign-out: an unavailable store gives 503', async () => {
    const service = await startService({ env: { MONGODB_URI: 'mongodb://127.0.0.1:9/none' }, awaitReady: false });
    try {
      const there = new Api(service.url, { cookie: `__Host-latchkey=${newSessionToken()}` });
      expect((await there.get('/v1/session')).status).toBe(503);
    } finally {
      await service.stop();
      await service.database.drop();
    }
  });
});
