import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import type { ClientSession, Connection, mongo } from 'mongoose';
import { holdsWithin } from '../local-stores/processes.ts';
import { bareCommand } from './test-support/bare-command.ts';
import { OPEN_TRANSACTIONS, startTestDatabase, whyNoGateway } from './test-support/test-database.ts';
import type { TestDatabase } from './test-support/test-database.ts';

const describeGateway = whyNoGateway === null ? describe : describe.skip;
const { MongoServerError } = mongoose.mongo;
const LIFETIME_MS = 3_000;

describeGateway(`the gateway in strict mode (${whyNoGateway ?? 'on Debian'})`, () => {
  let database: TestDatabase;
  let connection: Connection;
  let count = 0;

  beforeAll(async () => {
    database = await startTestDatabase({ strict: true, lifetimeMs: LIFETIME_MS, rttMs: 0, commitMs: 0 });
    connection = await database.connect('strict');
  }, 300_000);
  afterAll(() => database.stop());

  async function collection(...documents: object[]): Promise<ReturnType<Connection['collection']>> {
    const name = `s${count++}`;
    await connection.createCollection(name);
    if (documents.length > 0) await connection.collection(name).insertMany(documents);
    return connection.collection(name);
  }

  async function begun(on = connection): Promise<ClientSession> {
    const session = await on.startSession();
    session.startTransaction();
    return session;
  }

  async function errorOf(promise: Promise<unknown>): Promise<mongo.MongoServerError> {
    const error: unknown = await promise.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(MongoServerError);
    return error as mongo.MongoServerError;
  }

  const openTransactions = async (): Promise<number> => (await database.sql(OPEN_TRANSACTIONS)).length;

  /** A transaction that holds the document and whose connection is closed. @returns its session's id */
  async function stranded(things: ReturnType<Connection['collection']>): Promise<object> {
    const lsid = { id: new mongoose.mongo.UUID() };
    await bareCommand(database.uri, {
      update: things.collectionName,
      updates: [{ q: {}, u: { $inc: { n: 100 } } }],
      lsid,
      txnNumber: mongoose.mongo.Long.fromNumber(1),
      autocommit: false,
      startTransaction: true,
      $db: 'strict',
    });
    return lsid;
  }

  it('keeps a transaction whose client is gone until the sweep, and then answers NoSuchTransaction', async () => {
    // other tests leave some to the sweep
    expect(await holdsWithin(30_000, async () => (await openTransactions()) === 0)).toBe(true);
    const things = await collection({ n: 0 });
    await stranded(things);
    const session = await begun();
    const conflict = await errorOf(things.updateOne({}, { $inc: { n: 1 } }, { session }));
    expect(conflict).toMatchObject({ code: 112, codeName: 'WriteConflict' });
    expect(conflict.hasErrorLabel('TransientTransactionError')).toBe(true);
    expect(await openTransactions()).toBe(1);
    const own = await begun();
    await things.findOne({}, { session: own });
    expect(await openTransactions()).toBe(2);
    expect(await holdsWithin(30_000, async () => (await openTransactions()) === 0)).toBe(true);
    const late = await errorOf(things.findOne({}, { session: own }));
    expect(late).toMatchObject({ code: 251, codeName: 'NoSuchTransaction' });
    expect(late.hasErrorLabel('TransientTransactionError')).toBe(true);
    await things.updateOne({}, { $inc: { n: 1 } });
    expect(await things.findOne({})).toMatchObject({ n: 1 });
  }, 60_000);

  it('ends a transaction whose client is gone when its session is killed', async () => {
    const things = await collection({ n: 0 });
    const lsid = await stranded(things);
    // what a driver sends when it shuts down does not end it
    await connection.db?.command({ endSessions: [lsid] });
    const early = await begun();
    expect(await errorOf(things.updateOne({}, { $inc: { n: 1 } }, { session: early }))).toMatchObject({ code: 112 });
    await connection.db?.command({ killSessions: [lsid] });
    const session = await begun();
    await things.updateOne({}, { $inc: { n: 1 } }, { session });
    await session.commitTransaction();
    expect(await things.findOne({})).toMatchObject({ n: 1 });
  });

  it('ends a transaction when its session begins a newer one, and refuses an older one', async () => {
    const things = await collection({ n: 0 });
    const session = await begun();
    await things.updateOne({}, { $inc: { n: 1 } }, { session });
    const { serverSession } = session as unknown as { serverSession: { id: mongo.Document; txnNumber: number } };
    const run = (txnNumber: number): Promise<unknown> =>
      bareCommand(database.uri, {
        find: things.collectionName,
        lsid: serverSession.id,
        txnNumber: mongoose.mongo.Long.fromNumber(txnNumber),
        autocommit: false,
        startTransaction: true,
        $db: 'strict',
      });
    expect(await run(serverSession.txnNumber + 1)).toMatchObject({ ok: 1 });
    // the first one holds nothing any more
    const other = await begun();
    await things.updateOne({}, { $inc: { n: 10 } }, { session: other });
    await other.commitTransaction();
    expect(await errorOf(things.findOne({}, { session }))).toMatchObject({ code: 251 });
    expect(await run(serverSession.txnNumber)).toMatchObject({ code: 225, codeName: 'TransactionTooOld' });
    expect(await things.findOne({})).toMatchObject({ n: 10 });
  });

  it('answers a duplicate key only if the transaction can see the other document', async () => {
    const things = await collection({ key: 'seen' });
    await things.createIndexes([{ key: { key: 1 }, unique: true, name: 'by_key' }]);
    const insert = async (key: string, before: () => Promise<unknown>): Promise<mongo.MongoServerError> => {
      const session = await begun();
      await things.findOne({}, { session });
      await before();
      return errorOf(things.insertOne({ key }, { session }));
    };
    const seen = await insert('seen', () => Promise.resolve());
    expect(seen).toMatchObject({ code: 11000, keyPattern: { key: 1 }, keyValue: { key: 'seen' } });
    expect(seen.message).toBe(
      `E11000 duplicate key error collection: strict.${things.collectionName} index: by_key dup key: { key: "seen" }`,
    );
    const later = await insert('later', () => things.insertOne({ key: 'later' }));
    expect(later).toMatchObject({ code: 112 });
    expect(later.hasErrorLabel('TransientTransactionError')).toBe(true);
    const holder = await begun();
    const held = await insert('held', () => things.insertOne({ key: 'held' }, { session: holder }));
    expect(held).toMatchObject({ code: 112 });
    await holder.abortTransaction();
  });

  it('does the same for _id, for many documents and for findAndModify', async () => {
    const things = await collection({ _id: 'a' as never, key: 1 }, { _id: 'b' as never, key: 2 });
    await things.createIndexes([{ key: { key: 1 }, unique: true, name: 'by_key' }]);
    const twice = things.insertMany(
      [
        { _id: 'c' as never, key: 3 },
        { _id: 'a' as never, key: 4 },
      ],
      {
        session: await begun(),
      },
    );
    expect(await errorOf(twice)).toMatchObject({ code: 11000 });
    const modified = things.findOneAndUpdate({ key: 2 }, { $set: { key: 1 } }, { session: await begun() });
    expect(await errorOf(modified)).toMatchObject({ code: 11000, keyPattern: { key: 1 }, keyValue: { key: 1 } });
    const own = await begun();
    await things.insertOne({ _id: 'd' as never, key: 5 }, { session: own });
    expect(await errorOf(things.insertOne({ _id: 'd' as never, key: 6 }, { session: own }))).toMatchObject({
      code: 11000,
      keyPattern: { _id: 1 },
      keyValue: { _id: 'd' },
    });
  });

  it('fails commands as configured by configureFailPoint, with MongoDB’s labels', async () => {
    const things = await collection({ n: 0 });
    const admin = connection.getClient().db('admin');
    const failPoint = (mode: unknown, data: object): Promise<unknown> =>
      admin.command({ configureFailPoint: 'failCommand', mode, data: { database: 'strict', ...data } });
    await failPoint({ times: 2 }, { failCommands: ['find'], errorCode: 13436 });
    // the driver reads again, once
    expect(await errorOf(things.findOne({}))).toMatchObject({ code: 13436, codeName: 'NotPrimaryOrSecondary' });
    await failPoint({ times: 1 }, { failCommands: ['update'], errorCode: 11600 });
    const session = await begun();
    const failed = await errorOf(things.updateOne({}, { $inc: { n: 1 } }, { session }));
    expect(failed.hasErrorLabel('TransientTransactionError')).toBe(true);
    await failPoint({ times: 1 }, { failCommands: ['insert'], closeConnection: true });
    await things.insertOne({ n: 1 }); // a retryable write
    await failPoint(
      { times: 1 },
      { failCommands: ['commitTransaction'], writeConcernError: { code: 64, errmsg: 'x' } },
    );
    const unknown = await begun();
    await things.updateOne({ n: 1 }, { $inc: { n: 1 } }, { session: unknown });
    expect(await unknown.commitTransaction().catch((error: unknown) => error)).toMatchObject({ code: 64 });
    await failPoint('off', {});
    expect(await things.findOne({ n: 2 })).toMatchObject({ n: 2 });
  });
});
