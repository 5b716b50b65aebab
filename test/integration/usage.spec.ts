import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MongoStore } from '#mongo';
import { UsageModule, UsageReader, UsageRecorder } from '#usage';
import { TestDatabase } from '../support/database.ts';
import { startInstance } from '../support/instance.ts';
import type { Instance } from '../support/instance.ts';

const DAY_MS = 86_400_000;

describe('usage counts', () => {
  const database = new TestDatabase();
  let instances: Instance[];
  let reader: UsageReader;
  const yesterday = new Date(Date.now() - DAY_MS);

  const recorder = (index: number): UsageRecorder => instances[index]!.app.get(UsageRecorder);
  const documents = async (credentialId: string): Promise<object[]> =>
    (await database.collection<{ credentialId: string }>('usage')).find({ credentialId }).toArray();

  beforeAll(async () => {
    instances = await Promise.all([1, 2].map(() => startInstance(database, {}, [UsageModule])));
    reader = instances[0]!.app.get(UsageReader);
  });
  afterAll(async () => {
    await Promise.all(instances.map(({ app }) => app.close()));
    await database.drop();
  });

  it('adds up what two instances counted', async () => {
    recorder(0).issued('cr_two', 'se_1', '192.0.2.1');
    recorder(0).used('cr_two', ['invoices'], '192.0.2.1');
    recorder(1).used('cr_two', ['invoices', 'orders'], '192.0.2.2');
    recorder(1).refused('cr_two', 'address');
    for (const index of [0, 1]) await recorder(index).flush();
    const usage = (await reader.since(['cr_two', 'cr_none'], yesterday)).get('cr_two')!;
    expect(usage.addresses.map(({ address, count }) => [address, count])).toEqual([
      ['192.0.2.1', 2],
      ['192.0.2.2', 1],
    ]);
    expect(usage.apis.map(({ api, count }) => [api, count])).toEqual([
      ['invoices', 2],
      ['orders', 1],
    ]);
    expect(usage.secrets.map(({ secretId, count }) => [secretId, count])).toEqual([['se_1', 1]]);
    expect(usage.refusals).toEqual([{ reason: 'address', count: 1 }]);
    expect(usage.lastUsedAt).toEqual(usage.apis[0]!.lastSeenAt);
    const day = await reader.report('cr_two', yesterday, new Date(), 'day');
    expect(day.buckets).toHaveLength(2);
    expect(day.buckets[0]).toMatchObject({ issued: 0, used: 0, refused: 0 });
    expect(day.buckets[1]).toMatchObject({ issued: 1, used: 2, refused: 1 });
  });

  it('has an entry without use for a credential that was not used', async () => {
    expect((await reader.since(['cr_none'], yesterday)).get('cr_none')).toEqual({
      ...{ lastUsedAt: null, addresses: [], apis: [], secrets: [], refusals: [] },
    });
  });

  it('leaves out what was last seen before the moment, in the same hour', async () => {
    recorder(0).used('cr_past', ['invoices'], '192.0.2.1');
    await recorder(0).flush();
    const usage = (await reader.since(['cr_past'], new Date(Date.now() + 1_000))).get('cr_past')!;
    expect([usage.lastUsedAt, usage.addresses, usage.apis]).toEqual([null, [], []]);
  });

  it('keeps to 50 addresses a day, also when two instances had 50 each', async () => {
    for (const index of [0, 1]) {
      for (let at = 1; at <= 50; at += 1) recorder(index).used('cr_many', [], `192.0.${index}.${at}`);
      await recorder(index).flush();
    }
    const { addresses } = (await reader.since(['cr_many'], yesterday)).get('cr_many')!;
    expect(addresses).toHaveLength(51);
    expect(addresses[0]).toMatchObject({ address: 'other', count: 50 });
    expect(addresses.reduce((sum, { count }) => sum + count, 0)).toBe(100);
  });

  it('writes totals: what is written twice counts once, and an older write does not undo a newer one', async () => {
    recorder(0).used('cr_again', ['invoices'], '192.0.2.1');
    await recorder(0).flush();
    const usage = await database.collection<{ credentialId: string; revision: number }>('usage');
    const first = await usage.findOne({ credentialId: 'cr_again' });
    recorder(0).used('cr_again', ['invoices'], '192.0.2.1');
    await recorder(0).flush();
    expect(await documents('cr_again')).toMatchObject([{ used: 2, revision: 2 }]);
    // a delayed write of the first revision
    const { _id, ...old } = first!;
    const late = usage.updateOne({ _id, revision: { $lt: 1 } }, { $set: old }, { upsert: true });
    await expect(late).rejects.toMatchObject({ code: 11_000 });
    expect(await documents('cr_again')).toMatchObject([{ used: 2, revision: 2 }]);
  });

  it('keeps the counts when a flush fails, even if the store did write them, and counts nothing twice', async () => {
    const { connection } = instances[0]!.app.get(MongoStore);
    const usage = connection.collection('usage');
    const write = usage.bulkWrite.bind(usage);
    for (const isWritten of [true, false]) {
      recorder(0).used('cr_failed', ['invoices'], '192.0.2.1');
      usage.bulkWrite = async (...args: Parameters<typeof write>) => {
        if (isWritten) await write(...args);
        throw new Error('the answer was lost');
      };
      await recorder(0).flush();
    }
    usage.bulkWrite = write;
    await recorder(0).flush();
    expect(await documents('cr_failed')).toMatchObject([{ used: 2 }]);
    await recorder(0).flush();
    const { apis } = (await reader.since(['cr_failed'], yesterday)).get('cr_failed')!;
    expect(apis).toMatchObject([{ api: 'invoices', count: 2 }]);
  });

  it('counts what comes while a flush is under way', async () => {
    recorder(0).used('cr_meanwhile', [], '192.0.2.1');
    const flushed = recorder(0).flush();
    recorder(0).used('cr_meanwhile', [], '192.0.2.1');
    await flushed;
    await recorder(0).flush();
    expect(await documents('cr_meanwhile')).toMatchObject([{ used: 2 }]);
  });

  it('has a TTL index that removes counts after 90 days', async () => {
    const indexes = await (await database.collection('usage')).indexes();
    expect(indexes.find(({ expireAfterSeconds }) => expireAfterSeconds !== undefined)).toMatchObject({
      key: { hour: 1 },
      expireAfterSeconds: 90 * 86_400 + 3_600,
    });
  });

  it('knows since when use is recorded, the same on every instance and after a restart', async () => {
    const since = await reader.recordedSince();
    expect(Math.abs(Date.now() - since.getTime())).toBeLessThan(DAY_MS);
    expect(await instances[1]!.app.get(UsageReader).recordedSince()).toEqual(since);
  });

  it('writes what it has when it shuts down', async () => {
    const { app } = await startInstance(database, {}, [UsageModule]);
    app.get(UsageRecorder).used('cr_shutdown', ['invoices'], '192.0.2.1');
    expect(await documents('cr_shutdown')).toEqual([]);
    await app.close();
    expect(await documents('cr_shutdown')).toMatchObject([{ used: 1 }]);
  });
});
