import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Connection, mongo } from 'mongoose';
import { startTestDatabase, whyNoGateway } from './test-support/test-database.ts';
import type { TestDatabase } from './test-support/test-database.ts';

const describeGateway = whyNoGateway === null ? describe : describe.skip;
const BIG = 'x'.repeat(16 * 1024 * 1024 + 100);

describeGateway(`what mongod refuses, the gateway refuses (${whyNoGateway ?? 'on Debian'})`, () => {
  let database: TestDatabase;
  let connection: Connection;

  beforeAll(async () => {
    database = await startTestDatabase();
    connection = await database.connect('strict');
    await connection.createCollection('c');
  }, 300_000);
  afterAll(() => database.stop());

  const codeOf = async (command: mongo.Document): Promise<unknown> =>
    connection.db!.command(command).then(
      () => 0,
      (error: unknown) => (error as mongo.MongoServerError).code,
    );
  const api = { apiVersion: '1', apiStrict: true };

  it.each([
    ['an unknown field', { find: 'c', filtre: {} }, 40415],
    ['an unknown field of an update', { update: 'c', updates: [{ q: {}, u: {}, upsrt: true }] }, 40415],
    ['an unknown index option', { createIndexes: 'c', indexes: [{ key: { a: 1 }, name: 'a', uniq: true }] }, 40415],
    ['a missing field', { insert: 'c' }, 40414],
    ['a missing field of a delete', { delete: 'c', deletes: [{ q: {} }] }, 40414],
    ['an aggregate without a cursor', { aggregate: 'c', pipeline: [] }, 40414],
    ['a wrong type', { find: 'c', filter: 'x' }, 14],
    ['a command outside of the Stable API', { distinct: 'c', key: 'a', ...api }, 323],
    ['a stage outside of the Stable API', { aggregate: 'c', pipeline: [{ $indexStats: {} }], cursor: {}, ...api }, 323],
    ['a sparse index, by the Stable API', index({ sparse: true }), 323],
    ['another version of the API', { ping: 1, apiVersion: '2' }, 322],
    ['a strict API of no version', { ping: 1, apiStrict: true }, 72],
    ['a document that is too large', { insert: 'c', documents: [{ big: BIG }] }, 10334],
  ])('%s', async (_what, command, code) => {
    expect(await codeOf(command)).toBe(code);
  });
  function index(options: object): object {
    return { createIndexes: 'c', indexes: [{ key: { b: 1 }, name: 'b', ...options }], ...api };
  }

  it('accepts valid commands', async () => {
    for (const command of [
      { ping: 1, ...api },
      { find: 'c', filter: {}, limit: 1, comment: 'x', maxTimeMS: 1_000, ...api },
      { count: 'c', query: {}, ...api },
      { createIndexes: 'c', indexes: [{ key: { ok: 1 }, name: 'ok', unique: true }], ...api },
      { update: 'c', updates: [{ q: {}, u: { $set: { a: 1 } }, upsert: true }], ...api },
    ])
      expect(await codeOf(command)).toBe(0);
  });

  it.each([
    ['other options', { key: { same: 1 }, name: 'same', unique: true }, 86],
    ['another name', { key: { same: 1 }, name: 'other' }, 85],
    ['other keys', { key: { other: 1 }, name: 'same' }, 86],
  ])('an index that is there with %s', async (_what, spec, code) => {
    const first = { createIndexes: 'c', indexes: [{ key: { same: 1 }, name: 'same' }] };
    expect(await codeOf(first)).toBe(0);
    expect(await codeOf(first)).toBe(0);
    expect(await codeOf({ createIndexes: 'c', indexes: [spec] })).toBe(code);
  });

  it.each([
    ['count', { count: 'c' }],
    ['listCollections', { listCollections: 1 }],
    ['explain', { explain: { find: 'c' } }],
    ['dropIndexes', { dropIndexes: 'c', index: '*' }],
  ])('%s in a transaction', async (_what, command) => {
    const session = await connection.startSession();
    session.startTransaction();
    await expect(connection.db!.command(command, { session })).rejects.toMatchObject({ code: 263 });
    await session.endSession();
  });

  it('a transaction on a collection that was made after it began', async () => {
    const session = await connection.startSession();
    session.startTransaction();
    await connection.collection('c').findOne({}, { session });
    await connection.createCollection('late');
    await expect(connection.collection('late').findOne({}, { session })).rejects.toMatchObject({
      code: 246,
      errorLabels: ['TransientTransactionError'],
    });
    await session.endSession();
  });
});
