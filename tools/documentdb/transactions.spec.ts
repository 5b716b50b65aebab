import { Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import type { ClientSession, Connection as Pool } from 'mongoose';
import { holdsWithin } from '../local-stores/processes.ts';
import type { CommandOptions } from '../../packages/documentdb-gateway/command.ts';
import { Connection } from '../../packages/documentdb-gateway/connection.ts';
import { COMMIT_UNKNOWN, RETRYABLE_WRITE, TRANSIENT } from '../../packages/documentdb-gateway/errors.ts';
import { createPool } from '../../packages/documentdb-gateway/postgres.ts';
import type { Endpoint } from '../../packages/documentdb-gateway/topology/view.ts';
import { Transactions } from '../../packages/documentdb-gateway/transactions.ts';
import { POSTGRES_PORT } from './postgres-server.ts';
import { bareCommand } from './test-support/bare-command.ts';
import { OPEN_TRANSACTIONS, startTestDatabase, whyNoGateway } from './test-support/test-database.ts';
import type { TestDatabase } from './test-support/test-database.ts';

const describeGateway = whyNoGateway === null ? describe : describe.skip;
const { MongoServerError } = mongoose.mongo;

describeGateway(`transactions through the gateway (${whyNoGateway ?? 'on Debian'})`, () => {
  let database: TestDatabase;
  let connection: Pool;
  let count = 0;
  const sessions: ClientSession[] = [];

  beforeAll(async () => {
    database = await startTestDatabase();
    connection = await database.connect('transactions');
  }, 300_000);
  afterEach(async () => {
    for (const session of sessions.splice(0)) await session.endSession();
  });
  afterAll(() => database.stop());

  async function collection(...documents: object[]): Promise<ReturnType<Pool['collection']>> {
    const name = `t${count++}`;
    await connection.createCollection(name);
    if (documents.length > 0) await connection.collection(name).insertMany(documents);
    return connection.collection(name);
  }

  async function begun(): Promise<ClientSession> {
    const session = await connection.startSession();
    sessions.push(session);
    session.startTransaction();
    return session;
  }

  async function errorOf(promise: Promise<unknown>): Promise<mongoose.mongo.MongoServerError> {
    const error: unknown = await promise.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(MongoServerError);
    return error as mongoose.mongo.MongoServerError;
  }

  const noneOpen = (): Promise<boolean> =>
    holdsWithin(2_000, async () => (await database.sql(OPEN_TRANSACTIONS)).length === 0);

  it('shows nothing to others before the commit, all after', async () => {
    const things = await collection();
    const session = await begun();
    await things.insertOne({ a: 1 }, { session });
    expect(await things.countDocuments()).toBe(0);
    expect(await things.countDocuments({}, { session })).toBe(1);
    await session.commitTransaction();
    expect(await things.countDocuments()).toBe(1);
  });

  it('leaves nothing of a transaction that is aborted or whose session is killed', async () => {
    const things = await collection();
    const aborted = await begun();
    await things.insertOne({ a: 1 }, { session: aborted });
    await aborted.abortTransaction();
    const killed = await begun();
    await things.insertOne({ a: 2 }, { session: killed });
    await connection.db?.command({ killSessions: [killed.id] });
    const error = await errorOf(things.insertOne({ a: 3 }, { session: killed }));
    expect(error.code).toBe(251);
    expect(error.hasErrorLabel('TransientTransactionError')).toBe(true);
    expect(await things.countDocuments()).toBe(0);
    expect(await noneOpen()).toBe(true);
  });

  it('reads one snapshot', async () => {
    const things = await collection({ a: 1 });
    const session = await begun();
    expect(await things.findOne({}, { session })).toMatchObject({ a: 1 });
    await things.updateOne({}, { $set: { a: 2 } });
    expect(await things.findOne({}, { session })).toMatchObject({ a: 1 });
    await session.abortTransaction();
  });

  it.each(['updateOne', 'findOneAndUpdate', 'deleteOne'] as const)(
    'answers a conflict of %s while the other transaction is open, as transient',
    async (name) => {
      const things = await collection({ _id: 1, n: 0 });
      const [first, second] = [await begun(), await begun()];
      await things.updateOne({}, { $inc: { n: 1 } }, { session: first });
      const late =
        name === 'deleteOne'
          ? things.deleteOne({ n: 0 }, { session: second })
          : things[name]({ n: 0 }, { $inc: { n: 1 } }, { session: second });
      const error = await errorOf(late);
      expect(error.code).toBe(112);
      expect(error.hasErrorLabel('TransientTransactionError')).toBe(true);
      await first.commitTransaction();
      expect(await things.findOne({})).toMatchObject({ n: 1 });
    },
  );

  it('commits all of 100 transactions on the same document', async () => {
    const things = await collection({ n: 0 });
    const log = await collection();
    await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        connection.transaction(async (session) => {
          await things.updateOne({}, { $inc: { n: 1 } }, { session });
          await log.insertOne({ i }, { session });
        }),
      ),
    );
    expect(await things.findOne({})).toMatchObject({ n: 100 });
    expect(await log.countDocuments()).toBe(100);
  });

  it('creates a collection that several transactions write to first', async () => {
    const name = `t${count++}`;
    const insert = (i: number): Promise<unknown> =>
      connection.transaction((session) => connection.collection(name).insertOne({ i }, { session }));
    await Promise.all(Array.from({ length: 10 }, (_, i) => insert(i)));
    expect(await connection.collection(name).countDocuments()).toBe(10);
  });

  it.each(['insertOne', 'insertMany', 'findOneAndUpdate'] as const)(
    'aborts a transaction at a duplicate key of %s, with 11000 and no retry',
    async (name) => {
      const things = await collection({ key: 1 }, { key: 2 });
      await things.createIndexes([{ key: { key: 1 }, unique: true }]);
      let runs = 0;
      const error = await errorOf(
        connection.transaction(async (session) => {
          runs++;
          await things.insertOne({ key: 3 }, { session });
          if (name === 'insertOne') await things.insertOne({ key: 1 }, { session });
          if (name === 'insertMany') await things.insertMany([{ key: 4 }, { key: 1 }], { session });
          if (name === 'findOneAndUpdate') await things.findOneAndUpdate({ key: 2 }, { $set: { key: 1 } }, { session });
        }),
      );
      expect(error.code).toBe(11000);
      expect(error.message).toContain('index: key_1');
      expect(runs).toBe(1);
      expect(await things.countDocuments()).toBe(2);
      expect(await noneOpen()).toBe(true);
    },
  );

  it('continues reading through its own cursor', async () => {
    const things = await collection(...Array.from({ length: 500 }, (_, i) => ({ i, pad: 'x'.repeat(200) })));
    await connection.transaction(async (session) => {
      await things.insertOne({ i: 500 }, { session });
      for (const sort of [undefined, { i: -1 }] as const) {
        expect(await things.find({}, { session, batchSize: 50, ...(sort ? { sort } : {}) }).toArray()).toHaveLength(
          501,
        );
      }
      const grouped = things.aggregate([{ $group: { _id: '$i' } }], { session, batchSize: 50 });
      expect(await grouped.toArray()).toHaveLength(501);
    });
  });

  it('answers a repeated commit, and does nothing twice', async () => {
    const things = await collection();
    const session = await begun();
    await things.insertOne({ a: 1 }, { session });
    await session.commitTransaction();
    await session.commitTransaction();
    expect(await things.countDocuments()).toBe(1);
  });

  it.each(['kept', 'lost'] as const)(
    'knows the result of a commit that was %s, even if its answer was lost',
    async (fate) => {
      const pool = createPool({ host: database.socketFolder, port: POSTGRES_PORT }, 2, () => undefined);
      const transactions = new Transactions(pool);
      const socket = new Connection(1, new Socket(), {} as Endpoint);
      const base = {
        session: 's',
        txnNumber: 1n,
        inTransaction: true,
        connection: socket,
        client: null,
        snapshot: null,
        sees: null,
      };
      const options = {} as CommandOptions;
      const command = { ...base, options, name: 'x', db: 'x', target: 1, body: Buffer.alloc(0), sequence: null };
      const { client } = await transactions.join({ ...command, startTransaction: true });
      const query = client!.query.bind(client) as (text: string) => Promise<unknown>;
      const breakOff = async (): Promise<never> => {
        await query(fate === 'kept' ? 'COMMIT' : 'ROLLBACK');
        throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
      };
      Object.assign(client!, { query: (text: string) => (text === 'COMMIT' ? breakOff() : query(text)) });
      const again = { ...command, startTransaction: false };
      await expect(transactions.commit(again)).rejects.toMatchObject({ labels: [COMMIT_UNKNOWN, RETRYABLE_WRITE] });
      if (fate === 'kept') await transactions.commit(again);
      else await expect(transactions.commit(again)).rejects.toMatchObject({ code: 251, labels: [TRANSIENT] });
      await transactions.close();
    },
  );

  it('applies a retryable write once, even if it arrives twice', async () => {
    const things = await collection({ n: 0 });
    const write = {
      update: things.collectionName,
      updates: [{ q: {}, u: { $inc: { n: 1 } } }],
      lsid: { id: new mongoose.mongo.UUID() },
      txnNumber: mongoose.mongo.Long.fromNumber(1),
    };
    // the driver sets lsid and txnNumber itself: so the command goes over a bare connection
    const send = (): Promise<unknown> => bareCommand(database.uri, { ...write, $db: 'transactions' });
    const answers = [await send(), await send()];
    expect(answers).toEqual([expect.objectContaining({ nModified: 1 }), expect.objectContaining({ nModified: 1 })]);
    expect(await things.findOne({})).toMatchObject({ n: 1 });
  });
});
