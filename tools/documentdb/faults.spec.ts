import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import type { Connection } from 'mongoose';
import { holdsWithin } from '../local-stores/processes.ts';
import { OPEN_TRANSACTIONS, startTestDatabase, whyNoGateway } from './test-support/test-database.ts';
import type { TestDatabase } from './test-support/test-database.ts';

const describeGateway = whyNoGateway === null ? describe : describe.skip;

/** PostgreSQL's connections that wait for a lock, and a statement that ends those with an open transaction. */
const WAITING = `SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'`;
const END_TRANSACTIONS = `SELECT pg_terminate_backend(pid, 2000) FROM (${OPEN_TRANSACTIONS}) AS open`;

describeGateway(`clients and connections that break (${whyNoGateway ?? 'on Debian'})`, () => {
  let database: TestDatabase;
  let connection: Connection;
  let count = 0;
  const clients: ChildProcess[] = [];
  const others: Connection[] = [];

  beforeAll(async () => {
    database = await startTestDatabase();
    connection = await database.connect('faults');
  }, 300_000);
  afterEach(async () => {
    for (const client of clients.splice(0)) client.kill('SIGKILL');
    await Promise.all(others.splice(0).map((other) => other.destroy(true)));
  });
  afterAll(() => database.stop());

  async function collection(...documents: object[]): Promise<ReturnType<Connection['collection']>> {
    const name = `t${count++}`;
    await connection.createCollection(name);
    if (documents.length > 0) await connection.collection(name).insertMany(documents);
    return connection.collection(name);
  }

  async function anotherPool(options = ''): Promise<Connection> {
    const other = await mongoose.createConnection(`${database.uri}faults${options}`).asPromise();
    others.push(other);
    return other;
  }

  const noneOpen = (): Promise<boolean> =>
    holdsWithin(2_000, async () => (await database.sql(OPEN_TRANSACTIONS)).length === 0);

  /** A client in a process of its own that has a transaction open, and writes when told to. */
  async function otherClient(name: string): Promise<ChildProcess> {
    const script = `
      import mongoose from 'mongoose';
      const connection = await mongoose.createConnection(process.env.URI).asPromise();
      const session = await connection.startSession();
      session.startTransaction();
      await connection.collection('${name}').updateOne({}, { $inc: { n: 1 } }, { session });
      connection.collection('${name}').find({}, { batchSize: 2 }).next().then(() => console.log('open'));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...process.env, URI: `${database.uri}faults`, NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    clients.push(child);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    return child;
  }

  it('rolls back if a client is killed, and unblocks waiting clients', async () => {
    const things = await collection({ n: 0 }, { n: 0 }, { n: 0 });
    const client = await otherClient(things.collectionName);
    expect(await database.sql(OPEN_TRANSACTIONS)).toHaveLength(1);
    const waiting = things.updateMany({}, { $inc: { n: 10 } });
    expect(await holdsWithin(5_000, async () => (await database.sql(WAITING)).length === 1)).toBe(true);
    client.kill('SIGKILL');
    await waiting;
    expect(await noneOpen()).toBe(true);
    expect((await things.find().toArray()).map((thing) => Number(thing['n']))).toEqual([10, 10, 10]);
  });

  it('closes the cursors of a client that is gone', async () => {
    const things = await collection(...Array.from({ length: 50 }, (_, n) => ({ n })));
    const files = async (): Promise<number> =>
      (await database.sql(`SELECT * FROM pg_ls_dir('pg_documentdb_cursor_files')`)).length;
    const other = await anotherPool();
    const before = await files();
    const cursor = other.collection(things.collectionName).find({}, { batchSize: 2, sort: { n: -1 } });
    await cursor.next();
    expect(await files()).toBe(before + 1);
    await other.destroy(true);
    expect(await holdsWithin(2_000, async () => (await files()) === before)).toBe(true);
  });

  it('makes drivers retry if PostgreSQL ends the connection of a transaction', async () => {
    const things = await collection({ n: 0 });
    let runs = 0;
    await connection.transaction(async (session) => {
      await things.updateOne({}, { $inc: { n: 1 } }, { session });
      if (runs++ === 0) {
        await database.sql(END_TRANSACTIONS);
      }
      await things.updateOne({}, { $inc: { n: 10 } }, { session });
    });
    expect(runs).toBe(2);
    expect(await things.findOne({})).toMatchObject({ n: 11 });
  });

  it('makes drivers retry if that happens before the commit', async () => {
    const things = await collection({ n: 0 });
    let runs = 0;
    await connection.transaction(async (session) => {
      await things.updateOne({}, { $inc: { n: 1 } }, { session });
      if (runs++ === 0) await database.sql(END_TRANSACTIONS);
    });
    expect(runs).toBe(2);
    expect(await things.findOne({})).toMatchObject({ n: 1 });
  });

  it('continues if all PostgreSQL connections are ended under load', async () => {
    const things = await collection({ n: 0 });
    const errors: unknown[] = [];
    let done = 0;
    let running = true;
    const worker = async (): Promise<void> => {
      while (running && errors.length === 0) {
        await connection
          .transaction((session) => things.updateOne({}, { $inc: { n: 1 } }, { session }))
          .then(
            () => done++,
            (error: unknown) => errors.push(error),
          );
      }
    };
    const workers = Array.from({ length: 5 }, worker);
    try {
      for (let round = 1; round <= 4; round++) {
        const target = done + 10;
        expect(await holdsWithin(20_000, () => done >= target || errors.length > 0)).toBe(true);
        await database.sql(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'`,
        );
      }
    } finally {
      running = false;
      await Promise.all(workers);
      expect(errors.map((error) => JSON.stringify(error) + String((error as Error).stack))).toEqual([]);
    }
    expect(await things.findOne({})).toMatchObject({ n: done }); // none lost, none twice
  });

  it('serves more transactions than it has connections to PostgreSQL', async () => {
    const things = await collection();
    const pools = await Promise.all([1, 2, 3].map(() => anotherPool('?maxPoolSize=100')));
    const run = (i: number): Promise<unknown> => {
      const other = pools[i % 3]!;
      const mine = other.collection(things.collectionName);
      return other.transaction(async (session) => {
        await mine.insertOne({ i }, { session });
        await mine.findOne({ i: i - 1 }); // this needs another connection meanwhile
        await mine.insertOne({ i }, { session });
      });
    };
    await Promise.all(Array.from({ length: 400 }, (_, i) => run(i)));
    expect(await things.countDocuments()).toBe(800);
  });
});
