import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import type { mongo } from 'mongoose';
import { TestDatabase } from '../support/database.ts';
import { ReplicaSet } from '../support/replica-set.ts';
import type { SetView } from '../support/replica-set.ts';
import { eventually } from '../support/service.ts';

const { MongoClient, Timestamp } = mongoose.mongo;
type Document = mongo.Document;

/** The store's faults that the tests of elections rest on: each is seen here as a client sees it. */
describe('the replica set of the stand-in', () => {
  const database = new TestDatabase();
  let set: ReplicaSet;
  const clients: mongo.MongoClient[] = [];

  beforeAll(async () => {
    await database.collection('things').then((things) => things.insertOne({ _id: 'x' as never, n: 0 }));
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    set = await ReplicaSet.start();
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
    await set.stop();
  });

  async function client(view: SetView = set.view): Promise<mongo.MongoClient> {
    const options = { serverSelectionTimeoutMS: 10_000, heartbeatFrequencyMS: 1_000, readConcernLevel: 'majority' };
    const made = await new MongoClient(
      view.uri(database.administratorUri),
      options as mongo.MongoClientOptions,
    ).connect();
    clients.push(made);
    return made;
  }
  async function member(index: number, view: SetView = set.view): Promise<mongo.Db> {
    const made = await view.member(index);
    clients.push(made);
    return made.db(database.name);
  }
  const find = (db: mongo.Db, more: Document = {}): Promise<Document> =>
    db.command({ find: 'things', filter: { _id: 'x' }, singleBatch: true, ...more });
  const valueOf = (reply: Document): number => (reply['cursor'] as { firstBatch: { n: number }[] }).firstBatch[0]!.n;
  const majority = { readConcern: { level: 'majority' } };
  const code = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      (value) => value,
      (error: unknown) => (error as { code: unknown }).code ?? error,
    );
  /** As an application writes: tried again at the next primary. */
  const retried = async (db: mongo.Db): Promise<void> => {
    await db.collection('things').updateOne({}, { $inc: { n: 1 } });
  };
  const increment = (db: mongo.Db, more: Document = {}): Promise<Document> =>
    db.command({ update: 'things', updates: [{ q: { _id: 'x' }, u: { $inc: { n: 1 } } }], ...more });

  it('is discovered with all members, and monitored by streaming', async () => {
    const made = new MongoClient(set.view.uri(database.administratorUri), { heartbeatFrequencyMS: 1_000 });
    clients.push(made);
    const streamed: boolean[] = [];
    made.on('serverHeartbeatSucceeded', ({ awaited }) => streamed.push(awaited));
    await made.connect();
    await eventually(() => streamed.filter(Boolean).length > 3);
    const hello = await made.db('admin').command({ hello: 1 });
    expect(hello).toMatchObject({
      setName: 'latchkey',
      isWritablePrimary: true,
      secondary: false,
      hosts: set.view.hosts,
      me: set.view.hosts[0],
      primary: set.view.hosts[0],
    });
    expect(hello).toHaveProperty('lastWrite.majorityOpTime.ts');
  });

  it('elects another primary in a later term, and notifies waiting clients', async () => {
    const db = (await client()).db();
    const electionIds = [(await db.command({ hello: 1 }))['electionId'] as { toHexString(): string }];
    await set.stepDown(100);
    await retried(db);
    const hello = await db.command({ hello: 1 });
    electionIds.push(hello['electionId'] as never);
    expect(hello['me']).toBe(set.view.hosts[1]);
    expect(electionIds[1]!.toHexString() > electionIds[0]!.toHexString()).toBe(true);
  });

  it('ends transactions when its primary steps down', async () => {
    const made = await client();
    const session = made.startSession();
    session.startTransaction();
    await made
      .db()
      .collection('things')
      .updateOne({}, { $inc: { n: 1 } }, { session });
    await set.stepDown(50);
    const error: unknown = await made
      .db()
      .collection('things')
      .updateOne({}, { $inc: { n: 1 } }, { session })
      .catch((met: unknown) => met);
    // by the old primary, or by the new one
    expect([10107, 251]).toContain((error as mongo.MongoServerError).code);
    expect((error as mongo.MongoError).hasErrorLabel('TransientTransactionError')).toBe(true);
    await session.endSession();
  });

  it('refuses commands that a secondary does not serve', async () => {
    const secondary = await member(1);
    expect(await code(increment(secondary))).toBe(10107);
    // a client with directConnection sends primaryPreferred with a read
    expect(valueOf(await find(secondary))).toEqual(expect.any(Number));
    expect(await code(find(secondary, { readConcern: { level: 'linearizable' } }))).toBe(10107);
  });

  it('advances the cluster time, and sends it in answers', async () => {
    const db = await member(0);
    const time = (reply: Document): bigint => (reply['operationTime'] as mongo.Timestamp).toBigInt();
    const first = time(await increment(db));
    const linearizable = time(await find(db, { readConcern: { level: 'linearizable' } }));
    expect(linearizable).toBeGreaterThan(first);
    const second = await increment(db);
    expect(time(second)).toBeGreaterThan(linearizable);
    const after = await find(db, {
      readConcern: { level: 'majority', afterClusterTime: second['operationTime'] as unknown },
    });
    expect(valueOf(after)).toEqual(expect.any(Number));
    const later = new Timestamp({ t: (second['operationTime'] as mongo.Timestamp).t + 1_000, i: 1 });
    expect(await code(find(db, { readConcern: { level: 'majority', afterClusterTime: later } }))).toBe(72);
  });

  it('has a deposed primary that is unaware of the new one and acknowledges nothing', async () => {
    const before = valueOf(await find(await member(0), majority));
    const other = await set.addView();
    await other.partition(1);
    await set.elect(1, { oldStays: true });
    expect(await set.state()).toMatchObject({ primary: 1, members: [{ deposed: true, frozen: true }, {}, {}] });
    const written = await increment((await client()).db());
    expect(written).toMatchObject({ n: 1 });

    const deposed = await member(0, other);
    expect(await deposed.command({ hello: 1 })).toMatchObject({ isWritablePrimary: true });
    expect(valueOf(await find(deposed, majority))).toBe(before);
    expect(valueOf(await find(deposed))).toBe(before);
    const limited = { maxTimeMS: 200 };
    expect(await code(find(deposed, { readConcern: { level: 'linearizable' }, ...limited }))).toBe(50);
    expect(await code(increment(deposed, limited))).toBe(50);
    const afterClusterTime = written['operationTime'] as unknown;
    expect(await code(find(deposed, { readConcern: { level: 'majority', afterClusterTime }, ...limited }))).toBe(72);
    // clients that cannot see the new primary go on with the old one
    const cutOff = (await client(other)).db();
    expect(valueOf(await find(cutOff, majority))).toBe(before);

    await set.release(0);
    expect(await deposed.command({ hello: 1 })).toMatchObject({ isWritablePrimary: false });
    await other.partition();
    await eventually(async () => valueOf(await find(cutOff, majority)) === before + 1);
  });

  it('has a fresh primary whose majority reads are behind until its own term has committed', async () => {
    const before = valueOf(await find(await member(0), majority));
    await set.freeze(1);
    const written = await increment((await client()).db());
    await set.crash(0, 50);
    await eventually(async () => (await set.state()).primary === 1);
    const fresh = await member(1);
    expect(valueOf(await find(fresh, majority))).toBe(before);
    expect(valueOf(await find(fresh))).toBe(before + 1);
    const limited = { maxTimeMS: 200 };
    const afterClusterTime = written['operationTime'] as unknown;
    expect(await code(find(fresh, { readConcern: { level: 'majority', afterClusterTime }, ...limited }))).toBe(50);
    expect(await code(find(fresh, { readConcern: { level: 'linearizable' }, ...limited }))).toBe(50);
    const waiting = find(fresh, { readConcern: { level: 'majority', afterClusterTime } });
    await set.release(1);
    expect(valueOf(await waiting)).toBe(before + 1);
  });

  it('applies writes without a majority, and acknowledges them once it has one', async () => {
    const db = await member(0);
    const before = valueOf(await find(db));
    await set.freeze(0);
    const unconfirmed: unknown = await increment(db, { writeConcern: { w: 'majority', wtimeout: 100 } }).catch(
      (error: unknown) => (error as mongo.MongoWriteConcernError).result,
    );
    expect(unconfirmed).toMatchObject({ ok: 1, n: 1, writeConcernError: { code: 64 } });
    expect(await increment(db, { writeConcern: { w: 1 } })).toMatchObject({ ok: 1, n: 1 });
    expect(valueOf(await find(db))).toBe(before + 2);
    expect(valueOf(await find(db, majority))).toBe(before);
    const confirmed = increment(db);
    await set.release(0);
    expect(await confirmed).toMatchObject({ ok: 1, n: 1 });
    expect(valueOf(await find(db, majority))).toBe(before + 3);
  });

  it('answers 91 while it shuts down, and returns as a secondary', async () => {
    const primary = await member(0);
    const down = set.shutDown(0, { noticeMs: 300, gapMs: 10 });
    // 11600 where the read was under way already
    await eventually(async () => [91, 11600].includes((await code(find(primary))) as number));
    await down;
    await eventually(async () => (await set.state()).primary === 1);
    await set.restart(0);
    expect(await (await member(0)).command({ hello: 1 })).toMatchObject({ secondary: true });
  });

  it('reports a member’s wrong clock, and never moves the cluster time back', async () => {
    await set.skew(1, 3_600_000);
    expect((await set.state()).primary).toBe(0);
    const db = (await client()).db();
    const seconds = (reply: Document): number => (reply['operationTime'] as mongo.Timestamp).t;
    const first = seconds(await increment(db));
    await set.elect(1);
    await retried(db);
    const ahead = seconds(await increment(db));
    expect(ahead - first).toBeGreaterThan(3_000);
    const hello = await db.command({ hello: 1 });
    expect((hello['localTime'] as Date).getTime() - Date.now()).toBeGreaterThan(3_000_000);
    await set.elect(2);
    await retried(db);
    expect(seconds(await increment(db))).toBeGreaterThanOrEqual(ahead);
  });

  it.each([
    ['an unknown level', { readConcern: { level: 'most' } }, 9],
    ['a wrong type', { readConcern: { level: 'majority', afterClusterTime: 5 } }, 14],
    ['an unknown member', { readConcern: { level: 'majority', from: 1 } }, 40415],
    [
      'linearizable after a time',
      { readConcern: { level: 'linearizable', afterClusterTime: new Timestamp({ t: 1, i: 1 }) } },
      72,
    ],
    ['a write concern', { writeConcern: { w: 1 } }, 72],
  ])('refuses a read with %s', async (_what, concern, expected) => {
    expect(await code(find(await member(0), concern))).toBe(expected);
  });
});
