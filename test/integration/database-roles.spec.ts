import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import type { mongo } from 'mongoose';
import { TestDatabase, required } from '../support/database.ts';

/**
 * The test command knows the passwords only where it started the store itself; a store that was named has users of its
 * own.
 */
const hasUsers = process.env['LATCHKEY_TEST_STORE_PASSWORDS'] !== undefined;
const describeWithUsers = hasUsers ? describe : describe.skip;

describeWithUsers('the database users of tools/docker/mongo-init.js', () => {
  const database = new TestDatabase();
  const clients: mongo.MongoClient[] = [];
  let service: mongo.Db;
  let migration: mongo.Db;
  let retention: mongo.Db;

  async function as(uri: string): Promise<mongo.Db> {
    const client = await new mongoose.mongo.MongoClient(uri).connect();
    clients.push(client);
    return client.db();
  }

  beforeAll(async () => {
    await database.migrate();
    service = await as(database.uri);
    migration = await as(database.migrationUri);
    retention = await as(database.retentionUri);
    await (await database.collection('events')).insertOne({ chain: 'platform', seq: 1, prevHash: 'x' });
  });
  afterAll(async () => {
    for (const client of clients) await client.close();
    await database.drop();
  });

  const refused = { code: 13, codeName: 'Unauthorized' };

  describe('the service', () => {
    it('cannot create a TTL index on events, which would erase the log', async () => {
      const made = service.collection('events').createIndex({ at: 1 }, { expireAfterSeconds: 1 }, {});
      await expect(made).rejects.toMatchObject(refused);
    });

    it.each(['events', 'checkpoints'])('cannot change or remove documents in %s', async (name) => {
      const collection = service.collection(name);
      await expect(collection.updateOne({}, { $set: { type: 'forged' } })).rejects.toMatchObject(refused);
      await expect(collection.updateMany({}, { $set: { type: 'forged' } })).rejects.toMatchObject(refused);
      await expect(collection.findOneAndUpdate({}, { $set: { type: 'x' } })).rejects.toMatchObject(refused);
      await expect(collection.replaceOne({}, { type: 'x' }, { upsert: true })).rejects.toMatchObject(refused);
      await expect(collection.deleteMany({})).rejects.toMatchObject(refused);
      await expect(collection.findOneAndDelete({})).rejects.toMatchObject(refused);
      await expect(collection.aggregate([{ $match: {} }, { $out: name }]).toArray()).rejects.toMatchObject(refused);
    });

    it('cannot create, rename, change or drop an index, a collection or the database', async () => {
      for (const { name } of await migration.listCollections().toArray()) {
        const collection = service.collection(name);
        await expect(collection.createIndex({ any: 1 }, {}, {})).rejects.toMatchObject(refused);
        await expect(service.command({ dropIndexes: name, index: '*' })).rejects.toMatchObject(refused);
        await expect(collection.drop()).rejects.toMatchObject(refused);
        await expect(collection.rename(`${name}_old`)).rejects.toMatchObject(refused);
        await expect(service.command({ collMod: name, validator: {} })).rejects.toMatchObject(refused);
      }
      await expect(service.createCollection('another')).rejects.toMatchObject(refused);
      await expect(service.dropDatabase()).rejects.toMatchObject(refused);
    });

    it('cannot write the record of migrations or another database', async () => {
      const records = service.collection<{ _id: number }>('migrations');
      await expect(records.deleteOne({ _id: 1 })).rejects.toMatchObject(refused);
      await expect(records.insertOne({ _id: 9 })).rejects.toMatchObject(refused);
      const elsewhere = clients[0]?.db('another').collection('things');
      await expect(elsewhere?.insertOne({})).rejects.toMatchObject(refused);
    });

    it('may add events and read them', async () => {
      await service.collection('events').insertOne({ chain: 'platform', seq: 2, prevHash: 'y' });
      expect(await service.collection('events').countDocuments({ seq: 2 })).toBe(1);
    });
  });

  it('the migration creates collections and indexes, and cannot read or change a document', async () => {
    await migration.createCollection('later');
    await migration.collection('later').createIndex({ any: 1 }, {}, {});
    for (const name of ['events', 'credentials', 'later']) {
      const collection = migration.collection(name);
      await expect(collection.findOne({})).rejects.toMatchObject(refused);
      await expect(collection.insertOne({})).rejects.toMatchObject(refused);
      await expect(collection.updateOne({}, { $set: { any: 1 } })).rejects.toMatchObject(refused);
      await expect(collection.deleteOne({})).rejects.toMatchObject(refused);
      await expect(collection.drop()).rejects.toMatchObject(refused);
    }
  });

  it('the retention removes events, and nothing else', async () => {
    expect((await retention.collection('events').deleteMany({ seq: 1 })).deletedCount).toBe(1);
    await expect(retention.collection('events').insertOne({})).rejects.toMatchObject(refused);
    await expect(retention.collection('events').updateOne({}, { $set: { a: 1 } })).rejects.toMatchObject(refused);
    await expect(retention.collection('tokens').deleteMany({})).rejects.toMatchObject(refused);
    await expect(retention.collection('events').createIndex({ any: 1 }, {}, {})).rejects.toMatchObject(refused);
  });

  it('are asked for their passwords', async () => {
    const wrong = new URL(database.uri);
    wrong.password = 'wrong';
    await expect(as(wrong.href)).rejects.toMatchObject({ code: 18 });
    const nobody = await as(new URL(`/${database.name}`, required('MONGODB_URI').replace(/\/\/.*@/, '//')).href);
    await expect(nobody.collection('events').findOne({})).rejects.toMatchObject(refused);
  });
});
