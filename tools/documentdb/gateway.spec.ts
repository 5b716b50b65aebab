import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Schema } from 'mongoose';
import type { Connection } from 'mongoose';
import mongoose from 'mongoose';
import { startTestDatabase, whyNoGateway } from './test-support/test-database.ts';
import type { TestDatabase } from './test-support/test-database.ts';

const describeGateway = whyNoGateway === null ? describe : describe.skip;
const MongoServerError = mongoose.mongo.MongoServerError;

async function errorOf(promise: Promise<unknown>): Promise<mongoose.mongo.MongoServerError> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(MongoServerError);
  return error as mongoose.mongo.MongoServerError;
}

describeGateway(`a conversation of mongoose's through the gateway (${whyNoGateway ?? 'on Debian'})`, () => {
  let database: TestDatabase;
  let connection: Connection;
  let count = 0;

  beforeAll(async () => {
    database = await startTestDatabase();
    connection = await database.connect('conversation');
  }, 300_000);
  afterAll(() => database.stop());

  const collection = (): ReturnType<Connection['collection']> => connection.collection(`c${count++}`);

  it('reports the current time in each answer', async () => {
    const hello = async (): Promise<number> => {
      const reply = (await connection.db!.admin().command({ hello: 1 })) as { localTime: Date };
      return reply.localTime.getTime();
    };
    const before = Date.now();
    const first = await hello();
    expect(first).toBeGreaterThanOrEqual(before);
    expect(first).toBeLessThanOrEqual(Date.now());
    while (Date.now() <= first + 1) await hello();
    expect(await hello()).toBeGreaterThan(first);
  });

  it('writes, reads, counts and deletes', async () => {
    const things = collection();
    await things.insertMany([{ n: 1 }, { n: 2 }, { n: 3, deep: { er: [1, { x: 'y' }] } }]);
    expect(await things.countDocuments({ n: { $gte: 2 } })).toBe(2);
    expect((await things.findOne({ 'deep.er.x': 'y' }))?.['n']).toBe(3);
    expect(await things.updateMany({ n: { $lt: 3 } }, { $inc: { n: 10 } })).toMatchObject({ modifiedCount: 2 });
    expect((await things.distinct('n')) as unknown[]).toEqual(expect.arrayContaining([3, 11, 12]));
    expect(await things.deleteOne({ n: 3 })).toMatchObject({ deletedCount: 1 });
    const rest = await things.find({}, { sort: { n: 1 }, projection: { _id: 0 } }).toArray();
    expect(rest).toEqual([{ n: 11 }, { n: 12 }]);
  });

  it('keeps every kind of value unchanged', async () => {
    const things = collection();
    const { Long, Decimal128, Binary, UUID, ObjectId, Timestamp, Int32, Double } = mongoose.mongo;
    const document = {
      _id: new ObjectId(),
      text: 'ä\u{1F511}\n',
      long: Long.MAX_VALUE,
      decimal: Decimal128.fromString('1.10'),
      binary: new Binary(Buffer.from([0, 255, 7])),
      uuid: new UUID(),
      stamp: new Timestamp({ t: 7, i: 9 }),
      int: new Int32(5),
      double: new Double(5),
      date: new Date(1_700_000_000_123),
      regexp: /a.b/i,
      nothing: null,
    };
    await things.insertOne(document);
    const found = await things.findOne({ _id: document._id }, { promoteValues: false });
    const { BSON } = mongoose.mongo;
    expect(Buffer.from(BSON.serialize(found ?? {})).toString('hex')).toBe(
      Buffer.from(BSON.serialize(document)).toString('hex'),
    );
  });

  it('builds indexes immediately: 36 of them in less time than ten polls of the extension’s queue', async () => {
    const schema = new Schema({ a: Number, b: Number, at: Date });
    schema.index({ a: 1, b: -1 }).index({ b: 1 }, { unique: true }).index({ at: 1 }, { expireAfterSeconds: 0 });
    const models = Array.from({ length: 12 }, (_, i) => connection.model(`Indexed${i}`, schema));
    const started = performance.now();
    for (const model of models) await model.createCollection().then(() => model.createIndexes());
    expect(performance.now() - started).toBeLessThan(20_000);
    const indexes = await connection.collection('indexed3').indexes();
    expect(indexes.map(({ name }) => name).sort()).toEqual(['_id_', 'a_1_b_-1', 'at_1', 'b_1']);
    await models[0]?.createIndexes(); // again: nothing to do, and no error
  });

  it('lets several clients create the same collections and indexes at the same time', async () => {
    const others = await Promise.all([1, 2, 3].map(() => database.connect('at-once')));
    const indexes: mongoose.mongo.IndexDescription[] = [
      { key: { a: 1 }, name: 'a_1', unique: true },
      { key: { b: 1 }, name: 'b_1' },
    ];
    await Promise.all(
      others.flatMap((other) => [
        other.createCollection('same'),
        other.collection('same').createIndexes(indexes),
        other.collection('implied').insertOne({ a: 1 }),
      ]),
    );
    expect(await others[0]?.collection('same').indexes()).toHaveLength(3);
    expect(await others[0]?.collection('implied').countDocuments()).toBe(3);
  });

  it('refuses an index with an existing name and another key', async () => {
    const things = collection();
    await things.createIndexes([{ key: { a: 1 }, name: 'x' }]);
    expect((await errorOf(things.createIndexes([{ key: { b: 1 }, name: 'x' }]))).code).toBe(86);
  });

  it.each([
    ['insertOne', (c: ReturnType<typeof collection>) => c.insertOne({ key: 1 })],
    ['updateOne', (c: ReturnType<typeof collection>) => c.updateOne({ key: 2 }, { $set: { key: 1 } })],
    ['upsert', (c: ReturnType<typeof collection>) => c.updateOne({ key: 3 }, { $set: { key: 1 } }, { upsert: true })],
    ['findOneAndUpdate', (c: ReturnType<typeof collection>) => c.findOneAndUpdate({ key: 2 }, { $set: { key: 1 } })],
  ])('answers a duplicate key of %s with 11000 and the index', async (_name, write) => {
    const things = collection();
    await things.createIndexes([{ key: { key: 1 }, unique: true, name: 'one_key' }]);
    await things.insertMany([{ key: 1 }, { key: 2 }]);
    const error = await errorOf(write(things));
    expect(error.code).toBe(11000);
    expect(error.message).toMatch(/^E11000 duplicate key error collection: conversation\.c\d+ index: one_key/);
    expect(error['keyPattern']).toEqual({ key: 1 });
    expect(await things.countDocuments()).toBe(2);
  });

  it('reports which of many is the duplicate, and writes the others if unordered', async () => {
    const things = collection();
    await things.insertOne({ _id: 7 as never });
    const documents = [5, 7, 9].map((_id) => ({ _id: _id as never }));
    const error = (await errorOf(
      things.insertMany(documents, { ordered: false }),
    )) as mongoose.mongo.MongoBulkWriteError;
    expect(error.code).toBe(11000);
    expect([error.writeErrors].flat().map(({ index }) => index)).toEqual([1]);
    expect(await things.countDocuments()).toBe(3);
  });

  it('applies a partial unique index to its documents only', async () => {
    const things = collection();
    await things.createIndexes([{ key: { slot: 1 }, unique: true, partialFilterExpression: { live: true } }]);
    await things.insertMany([
      { slot: 1, live: true },
      { slot: 1, live: false },
      { slot: 1, live: false },
    ]);
    expect((await errorOf(things.insertOne({ slot: 1, live: true }))).code).toBe(11000);
    expect((await errorOf(things.updateOne({ live: false }, { $set: { live: true } }))).code).toBe(11000);
  });

  it('accepts one of many simultaneous inserts with the same unique key', async () => {
    const things = collection();
    await things.createIndexes([{ key: { slot: 1 }, unique: true }]);
    const results = await Promise.allSettled(Array.from({ length: 100 }, (_, i) => things.insertOne({ slot: i % 10 })));
    const codes = results.flatMap((r) => (r.status === 'rejected' ? [(r.reason as { code: number }).code] : []));
    expect(codes).toEqual(Array.from({ length: 90 }, () => 11000));
    expect(await things.countDocuments()).toBe(10);
  });

  it.each(['findOneAndUpdate', 'updateOne'] as const)(
    'creates one document for many simultaneous upserts by %s',
    async (name) => {
      const things = collection();
      await things.createIndexes([{ key: { key: 1 }, unique: true }]);
      const upsert = (_: unknown, i: number): Promise<unknown> =>
        things[name]({ key: i % 5 }, { $inc: { n: 1 } }, { upsert: true });
      await Promise.all(Array.from({ length: 100 }, upsert));
      const found = await things.find({}, { projection: { _id: 0 }, sort: { key: 1 } }).toArray();
      expect(found).toEqual([0, 1, 2, 3, 4].map((key) => ({ key, n: 20 })));
    },
  );

  it('answers findOneAndUpdate as MongoDB does', async () => {
    const things = collection();
    const update = (key: number, options: object): Promise<unknown> =>
      things.findOneAndUpdate({ key }, { $inc: { n: 1 } }, { projection: { _id: 0 }, ...options });
    expect(await update(1, {})).toBeNull();
    expect(await update(1, { upsert: true, returnDocument: 'after' })).toEqual({ key: 1, n: 1 });
    expect(await update(1, { returnDocument: 'before' })).toEqual({ key: 1, n: 1 });
    expect(await things.findOneAndDelete({ key: 1 }, { projection: { _id: 0 } })).toEqual({ key: 1, n: 2 });
  });

  it('reads a large result page by page, and closes its cursor on request', async () => {
    const things = collection();
    await things.insertMany(Array.from({ length: 3_000 }, (_, i) => ({ i, g: i % 7, pad: 'x'.repeat(500) })));
    const seen = await things.find({}, { sort: { g: 1, i: -1 }, batchSize: 100 }).toArray();
    expect(seen.map((thing) => Number(thing['i']))).toEqual(
      Array.from({ length: 3_000 }, (_, i) => i).sort((a, b) => (a % 7) - (b % 7) || b - a),
    );
    const cursor = things.find({}, { batchSize: 10 });
    await cursor.next();
    const id = cursor.id;
    await cursor.close();
    const error = await errorOf(
      connection.db?.command({ getMore: id, collection: things.collectionName }) ?? Promise.resolve(),
    );
    expect(error.code).toBe(43);
  });

  it('joins and groups', async () => {
    const [orders, people] = [collection(), collection()];
    await people.insertMany([1, 2].map((id) => ({ id, name: `p${id}` })));
    await orders.insertMany([1, 1, 2].map((person, i) => ({ person, amount: 10 * (i + 1) })));
    const totals = await orders
      .aggregate([
        { $lookup: { from: people.collectionName, localField: 'person', foreignField: 'id', as: 'who' } },
        { $unwind: '$who' },
        { $group: { _id: '$who.name', total: { $sum: '$amount' }, most: { $max: '$amount' } } },
        { $sort: { _id: 1 } },
      ])
      .toArray();
    expect(totals).toEqual([
      { _id: 'p1', total: 30, most: 20 },
      { _id: 'p2', total: 30, most: 30 },
    ]);
  });

  it('removes expired documents of a TTL index, and nothing else', async () => {
    const things = collection();
    await things.createIndexes([{ key: { at: 1 }, expireAfterSeconds: 60 }]);
    await things.insertMany([{ at: new Date(Date.now() - 61_000) }, { at: new Date() }, { other: 1 }]);
    expect(
      await database.sql(`SELECT count(*) FROM cron.job WHERE active AND command ~ 'delete_expired_rows'`),
    ).toEqual([['1']]);
    await database.sql('CALL documentdb_api_internal.delete_expired_rows()'); // what that job calls every minute
    expect(await things.countDocuments()).toBe(2);
  });

  it('answers unknown or unsupported commands with an error, and continues', async () => {
    const things = collection();
    await things.insertOne({ a: 1 });
    expect((await errorOf(connection.db!.command({ fly: 1 }))).code).toBe(59);
    expect((await errorOf(things.find({ a: { $nonsense: 1 } }).toArray())).code).toBeGreaterThan(0);
    expect((await errorOf(things.updateOne({ a: 1 }, { $set: { _id: 5 } }))).code).toBe(66);
    expect(await things.countDocuments()).toBe(1);
  });

  it('lists and drops collections and databases', async () => {
    const other = await database.connect('to-be-dropped');
    await other.collection('x').insertOne({});
    expect((await other.listCollections()).map(({ name }) => name)).toEqual(['x']);
    const names = async (): Promise<string[]> => (await other.listDatabases()).databases.map(({ name }) => name);
    expect(await names()).toContain('to-be-dropped');
    await other.dropDatabase();
    expect(await other.listCollections()).toEqual([]);
    expect(await names()).not.toContain('to-be-dropped');
  });
});
