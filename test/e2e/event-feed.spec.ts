import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Api } from '../support/api.ts';
import type { Answer, EventBody } from '../support/api.ts';
import { aCredential, aUser, anApi, anOperation, unique } from '../support/builders.ts';
import { putEvents } from '../support/event-log/store.ts';
import { Follower } from '../support/follower.ts';
import { eventually, startService, startServices } from '../support/service.ts';
import type { Service } from '../support/service.ts';

interface Feed {
  readonly items: readonly EventBody[];
  readonly nextCursor: string;
}

let services: Service[];
let admin: Api;
let other: Api;

beforeAll(async () => {
  services = await startServices(2);
  [admin, other] = services.map(({ url }) => new Api(url)) as [Api, Api];
});
afterAll(async () => {
  await Promise.all(services.map((service) => service.stop()));
  await services[0]!.database.drop();
});

const feed = (api: Api, query: string): Promise<Answer<Feed>> => api.get<Feed>(`/v1/events/feed?${query}`);

/** The place after everything that is written. */
async function latest(api: Api, query = ''): Promise<string> {
  return (await feed(api, `after=latest${query}`)).body.nextCursor;
}

/** Follows until a page is empty. */
async function rest(api: Api, after: string, query = ''): Promise<{ items: EventBody[]; nextCursor: string }> {
  const items: EventBody[] = [];
  for (let cursor = after; ;) {
    const { status, text, body } = await feed(api, `${cursor === '' ? '' : `after=${cursor}&`}limit=100${query}`);
    if (status !== 200) throw new Error(`${status} ${text}`);
    items.push(...body.items);
    cursor = body.nextCursor;
    if (body.items.length === 0) return { items, nextCursor: cursor };
  }
}

describe('GET /v1/events/feed', () => {
  it('returns each event of a chain once, oldest first and without a gap, page by page', async () => {
    const { id: operationId } = await anOperation(admin);
    await putEvents(services[0]!.database, operationId, 250);
    const { items } = await rest(admin, '', `&operationId=${operationId}`);
    expect(items.map(({ seq }) => seq)).toEqual(Array.from({ length: 251 }, (_, index) => index + 1));
    expect(items.every((event) => event.operationId === operationId)).toBe(true);
  });

  it('follows all chains, oldest first, and includes operations that are created later', async () => {
    const cursor = await latest(admin);
    const [a, b] = [await anOperation(admin), await anOperation(admin)];
    await admin.patch(`/v1/operations/${a.id}`, { name: unique('renamed') });
    const { items, nextCursor } = await rest(admin, cursor);
    const operations = items.filter(({ operationId }) => operationId !== null);
    expect(operations.map(({ operationId }) => operationId)).toEqual([a.id, b.id, a.id]);
    await admin.patch(`/v1/operations/${b.id}`, { name: unique('renamed') });
    const later = (await rest(admin, nextCursor)).items.filter(({ operationId }) => operationId !== null);
    expect(later).toMatchObject([{ operationId: b.id, seq: 2 }]);
  });

  it.each(['this', 'another'])('waits for an event and returns it when %s instance writes it', async (which) => {
    const { id } = await anOperation(admin);
    const cursor = await latest(admin, `&operationId=${id}`);
    const waiting = feed(admin, `after=${cursor}&wait=25&operationId=${id}`);
    await pause(300); // most likely it waits by now; if it does not, it reads the event
    await (which === 'this' ? admin : other).patch(`/v1/operations/${id}`, { name: unique('renamed') });
    expect((await waiting).body.items).toMatchObject([{ operationId: id, type: 'operation.updated.v2' }]);
  });

  it('returns an empty page and the same place if nothing happens', async () => {
    const { id } = await anOperation(admin);
    const cursor = await latest(admin, `&operationId=${id}`);
    const { status, body } = await feed(admin, `after=${cursor}&wait=1&operationId=${id}`);
    expect({ status, items: body.items }).toEqual({ status: 200, items: [] });
    expect(body.nextCursor).toBe(cursor);
  });

  it('shows an operation-admin the chains of their operations only, also after rights change', async () => {
    const [own, foreign] = [await anOperation(admin), await anOperation(admin)];
    const person = await aUser(admin, ['operation-admin'], [own.id]);
    const theirs = admin.as(person);
    const first = await rest(theirs, '');
    expect(first.items.map(({ operationId }) => operationId)).toEqual([own.id]);
    expect((await feed(theirs, `operationId=${foreign.id}`)).status).toBe(404);
    expect((await feed(theirs, 'operationId=platform')).status).toBe(404);
    await admin.patch(`/v1/users/${person.id}`, { operationIds: [foreign.id] });
    await admin.patch(`/v1/operations/${own.id}`, { name: unique('renamed') });
    const second = await rest(theirs, first.nextCursor);
    expect(second.items.map(({ operationId }) => operationId)).toEqual([foreign.id]);
    await admin.patch(`/v1/users/${person.id}`, { operationIds: [own.id, foreign.id] });
    const third = await rest(theirs, second.nextCursor);
    expect(third.items).toMatchObject([{ operationId: own.id, seq: 2 }]);
  });

  it('returns nothing to a waiting person whose right was taken away in the meantime', async () => {
    const { id } = await anOperation(admin);
    const person = await aUser(admin, ['auditor']);
    const theirs = admin.as(person);
    const cursor = await latest(theirs);
    const waiting = feed(theirs, `after=${cursor}&wait=25`);
    await pause(300);
    await admin.patch(`/v1/users/${person.id}`, { status: 'disabled' });
    await admin.patch(`/v1/operations/${id}`, { name: unique('renamed') });
    expect((await waiting).status).toBe(401);
  });

  it('refuses what is not its cursor, and parameters beyond the limits', async () => {
    const cursor = await latest(admin);
    const broken = cursor.slice(0, -1) + (cursor.endsWith('A') ? 'B' : 'A');
    for (const query of [
      `after=${broken}`,
      'after=x',
      'after=',
      'wait=26',
      'wait=-1',
      'limit=0',
      'limit=101',
      'part=2/1',
      'part=1/65',
      'x=1',
    ]) {
      expect({ query, status: (await feed(admin, query)).status }).toEqual({ query, status: 400 });
    }
    const list = (await admin.get<Feed>('/v1/events?limit=1')).body.nextCursor;
    expect(await feed(admin, `after=${list}`)).toMatchObject({ status: 400 });
  });

  it('divides the chains among parts', async () => {
    const operations = await Promise.all(Array.from({ length: 8 }, () => anOperation(admin)));
    const parts = await Promise.all([1, 2, 3].map((number) => rest(admin, '', `&part=${number}/3`)));
    const seen = parts.map(({ items }) => new Set(items.map(({ operationId }) => operationId)));
    for (const { id } of operations) expect(seen.filter((part) => part.has(id))).toHaveLength(1);
    expect(seen.filter((part) => part.has(null))).toHaveLength(1);
  });

  it('returns 429 with Retry-After to a person with ten waiting requests', async () => {
    const { id } = await anOperation(admin);
    const theirs = admin.as(await aUser(admin, ['operation-admin'], [id]));
    const cursor = await latest(theirs);
    // more than ten, because a busy machine may answer some with 503
    const waiting: Promise<Answer<Feed>>[] = [];
    const refusals: Answer<Feed>[] = [];
    await eventually(() => {
      const answer = feed(theirs, `after=${cursor}&wait=25`);
      waiting.push(answer);
      void answer.then((refused) => (refused.status === 429 ? refusals.push(refused) : 0));
      return refusals.length > 0;
    });
    const [refused] = refusals;
    expect(refused!.body).toMatchObject({ type: 'urn:latchkey:problem:too-many-followers' });
    expect(Number(refused!.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await feed(theirs, `after=${cursor}`)).status).toBe(200);
    await admin.patch(`/v1/operations/${id}`, { name: unique('renamed') });
    const answered = (await Promise.all(waiting)).filter(({ status }) => status === 200);
    expect(answered.some(({ body }) => body.items.length === 1)).toBe(true);
    expect(answered.length).toBeLessThanOrEqual(10);
  });

  it('returns 410 with the place to continue from if the log is another one than the cursor says', async () => {
    const { database } = services[0]!;
    const { id } = await anOperation(admin);
    await putEvents(database, id, 20);
    const { nextCursor } = await rest(admin, '', `&operationId=${id}`);
    const heads = await database.collection<{ _id: string; seq: number; hash: string }>('chain_heads');
    const events = await database.collection('events');
    const early = await events.findOne({ chain: id, seq: 5 });
    await events.deleteMany({ chain: id, seq: { $gt: 5 } });
    await heads.updateOne({ _id: id }, { $set: { seq: 5, hash: String(early!['hash']) } });
    const check = async (): Promise<void> => {
      const { status, body } = await feed(admin, `after=${nextCursor}&operationId=${id}`);
      expect({ status, body }).toMatchObject({ status: 410, body: { type: 'urn:latchkey:problem:feed-interrupted' } });
      const again = await rest(admin, body.nextCursor, `&operationId=${id}`);
      expect(again.items[0]!.seq).toBe(1);
    };
    await check();
    // when it has grown beyond the cursor again, its events are other ones
    await putEvents(database, id, 30, new Date('2026-05-01T00:00:00Z'), { restored: true });
    await check();
  });

  it('returns summed-up refusals once their minute is long over', async () => {
    const { id } = await anOperation(admin);
    const refusals = await services[0]!.database.collection<{ _id: string }>('refusals');
    const minute = new Date('2026-03-01T10:00:00Z');
    const summary = { operationId: id, subject: { type: 'credential', id: 'cr_1' }, reason: 'wrong-secret' };
    const documents = [1, 2, 3].map((n) => ({
      ...{ _id: unique('digest'), id: `ev_${unique('r')}`, ...summary },
      ...{ minute: n === 3 ? new Date() : minute, count: n, addresses: [] },
    }));
    await refusals.insertMany(documents);
    const { items } = await rest(admin, '', `&operationId=${id}`);
    const summed = items.filter(({ type }) => type === 'sign-in.refused.v1');
    expect(summed.map(({ data }) => data['count']).sort()).toEqual([1, 2]);
  });

  it('records that someone follows, and comes to rest all the same', async () => {
    const person = await aUser(admin, ['auditor']);
    const theirs = admin.as(person);
    const { nextCursor } = await rest(theirs, '');
    const { items } = await rest(theirs, nextCursor);
    expect(items.filter(({ actor }) => actor.id !== person.id)).toEqual([]);
    const own = (await admin.events({ type: 'events.read.v2' })).filter(({ actor }) => actor.id === person.id);
    // one for each minute in which the test ran
    expect([1, 2, 3]).toContain(own.length);
    expect(own[0]!.data).toMatchObject({ filters: [{ feed: 'true' }] });
  });

  it('answers those who wait when the service is stopped', async () => {
    const third = await startService({ database: services[0]!.database });
    const api = new Api(third.url);
    const { id } = await anOperation(api);
    const cursor = await latest(api, `&operationId=${id}`);
    const waiting = feed(api, `after=${cursor}&wait=25&operationId=${id}`);
    await pause(300);
    const exit = await third.stop('SIGTERM');
    expect((await waiting).status).toBe(200);
    expect(exit).toBe(0);
  });

  it('loses none of 10,000 events to a consumer that is killed at random', async () => {
    const { database } = services[0]!;
    const robot = { username: unique('siem'), kind: 'service', roles: ['auditor'] };
    const { id: userId } = (await admin.post<{ id: string }>('/v1/users', robot)).body;
    const { apiKey } = (await admin.post<{ apiKey: string }>(`/v1/users/${userId}/keys`, { name: 'siem' })).body;
    const [{ key }, ...operations] = await Promise.all([anApi(admin), anOperation(admin), anOperation(admin)]);
    const follower = new Follower(admin.url, apiKey);
    const writer = { isWriting: true };
    const write = async (): Promise<void> => {
      const credential = await aCredential(admin, operations[0].id, { apis: [key], tokenLimitPolicy: 'evict_oldest' });
      for (let chunk = 0; chunk < 20; chunk += 1) {
        for (const { id } of operations.slice(1)) await putEvents(database, id, 500);
        for (const { url } of services) expect((await new Api(url).token(credential)).status).toBe(200);
      }
      writer.isWriting = false;
    };
    const writing = write();
    let kills = 0;
    for (; writer.isWriting || kills < 10; kills += 1) {
      follower.start();
      await pause(100 + Math.random() * 900);
      await follower.kill();
    }
    await writing;
    follower.start();
    try {
      const wanted = (await admin.all<EventBody>('/v1/events')).filter(({ type }) => type !== 'events.read.v2');
      expect(wanted.length).toBeGreaterThan(10_000);
      await eventually(() => {
        const got = new Set(follower.received().map(({ id }) => id));
        return wanted.every(({ id, seq }) => !Number.isInteger(seq) || got.has(id));
      }, 120_000);
      // within a chain, nothing is passed over: each event follows one that came before it
      const reached = new Map<string | null, number>();
      for (const { operationId, seq } of follower.received()) {
        if (!Number.isInteger(seq)) continue;
        expect(seq).toBeLessThanOrEqual((reached.get(operationId) ?? 0) + 1);
        reached.set(operationId, Math.max(reached.get(operationId) ?? 0, seq));
      }
    } finally {
      await follower.kill();
      follower.remove();
    }
  });
});
