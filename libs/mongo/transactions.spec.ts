import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { ClientSession, mongo } from 'mongoose';
import { loadConfig } from '#config';
import { migrateDatabase, migrations } from '#migrations';
import { Metrics, createLogger } from '#observability';
import { Instances, sessionId } from './instances.ts';
import { MongoStore } from './mongo-store.ts';
import { SessionPool } from './session-pool.ts';
import { StoreClock } from './store-clock.ts';
import { Transactions } from './transactions.ts';

const uri = new URL(process.env['MONGODB_URI'] ?? '');
uri.pathname = `/it_${randomBytes(6).toString('hex')}`;
const logger = createLogger('silent');
const config = loadConfig({ MONGODB_URI: uri.href, REDIS_URL: 'redis://127.0.0.1' });

/** The store's clock as an instance sees it after the others have been silent for a minute. */
class LaterClock extends StoreClock {
  override nowMs(): number {
    return super.nowMs() + 60_000;
  }
}

/** One instance's transactions, with a collection. */
async function instance(clock = new StoreClock(logger, new Metrics())) {
  const store = new MongoStore(config, logger, clock);
  const instances = new Instances(store, config, clock, logger);
  const pool = new SessionPool(store, instances);
  const transactions = new Transactions(store, new Metrics(), pool);
  await store.open();
  const things = store.connection.collection<{ _id: string; n: number }>('things');
  const increase = (id: string, session: ClientSession): Promise<unknown> =>
    things.updateOne({ _id: id }, { $inc: { n: 1 } }, { session, upsert: true });
  const stop = async (): Promise<void> => {
    await instances.onApplicationShutdown();
    await store.onApplicationShutdown();
  };
  return { store, things, instances, pool, transactions, increase, stop };
}

type TestInstance = Awaited<ReturnType<typeof instance>>;

describe('transactions of several instances', () => {
  let one: TestInstance;
  let other: TestInstance;

  beforeAll(async () => {
    await migrateDatabase({ uri: uri.href, migrations, say: () => undefined, waitMs: 60_000 });
    one = await instance();
    await one.store.connection.createCollection('things');
    other = await instance(new LaterClock(logger, new Metrics()));
  });
  afterAll(async () => {
    await one.store.connection.dropDatabase();
    await one.stop();
    await other.stop();
  });

  const registered = async (): Promise<string[]> => {
    const documents = await one.store.connection.collection('instances').find({}).toArray();
    return documents.flatMap(({ sessions }) => (sessions as mongo.UUID[]).map((id) => id.toHexString()));
  };

  it('run only in registered sessions', async () => {
    await one.transactions.run(async (session) => {
      expect(await registered()).toContain(sessionId(session).toHexString());
    });
  });

  it('return the time of their commit, which the fence uses', async () => {
    let ran: ClientSession | undefined;
    await one.transactions.run(async (session) => {
      ran = session;
      await one.increase('timed', session);
    });
    expect(ran?.operationTime).toBeDefined();
  });

  it('run even if no heartbeat was seen for a while: the process may have been paused, or its clock set', async () => {
    await once(one.store.connection.getClient(), 'serverHeartbeatSucceeded');
    const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 60_000);
    try {
      expect(await one.transactions.run(() => Promise.resolve('done'))).toBe('done');
    } finally {
      clock.mockRestore();
    }
  });

  it('are retried if the instance was considered dead, and take effect once', async () => {
    let runs = 0;
    await one.transactions.run(async (session) => {
      runs += 1;
      await one.increase('stopped', session);
      // as after a pause: the other one saw no heartbeat, and ends what is open here, sooner or later
      while (runs === 1) {
        await other.instances.endDeadInstances();
        await one.things.findOne({ _id: 'stopped' }, { session });
        await pause(100);
      }
    }, 30_000);
    expect(runs).toBe(2);
    expect(await one.things.findOne({ _id: 'stopped' })).toMatchObject({ n: 1 });
  });

  it('continue after another instance has left one open permanently', async () => {
    await one.transactions.run((session) => one.increase('left', session));
    const session = await one.pool.take();
    session.startTransaction();
    await one.increase('left', session);
    await other.transactions.run((own) => other.increase('left', own), 30_000);
    expect(await one.things.findOne({ _id: 'left' })).toMatchObject({ n: 2 });
    await session.abortTransaction();
    one.pool.give(session, false);
  });

  it('end what may be open in a session whose connection was lost', async () => {
    await one.transactions.run((session) => one.increase('lost', session));
    const session = await one.pool.take();
    session.startTransaction();
    await one.increase('lost', session);
    const id = sessionId(session).toHexString();
    // the driver would end it politely: what is lost cannot
    Object.assign(session, { abortTransaction: () => Promise.resolve() });
    one.pool.give(session, true);
    await one.transactions.run((own) => one.increase('lost', own), 30_000);
    expect(await one.things.findOne({ _id: 'lost' })).toMatchObject({ n: 2 });
    await one.transactions.run(async (own) => {
      expect(sessionId(own).toHexString()).not.toBe(id);
      return Promise.resolve();
    });
  });
});
