import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import type { mongo } from 'mongoose';
import { AccessModule } from '#access';
import { CredentialsModule } from '#credentials';
import { Migrator, RECORDS, migrateDatabase, migrations } from '#migrations';
import type { Migration } from '#migrations';
import { MongoStore } from '#mongo';
import { TokensModule } from '#tokens';
import { UsageModule } from '#usage';
import { TestDatabase } from '../support/database.ts';
import { startInstance } from '../support/instance.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const WAIT_MS = 60_000;
const databases: TestDatabase[] = [];
const clients: mongo.MongoClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  for (const database of databases.splice(0)) await database.drop();
});

function aDatabase(): TestDatabase {
  const database = new TestDatabase();
  databases.push(database);
  return database;
}

async function opened(database: TestDatabase): Promise<mongo.Db> {
  const client = await new mongoose.mongo.MongoClient(database.migrationUri).connect();
  clients.push(client);
  return client.db();
}

/** Collections with their indexes as text: `credentials clientId:1 unique`. */
async function layoutOf(db: mongo.Db): Promise<string[]> {
  const names = (await db.listCollections().toArray()).map(({ name }) => name).filter((name) => name !== RECORDS);
  const rows = await Promise.all(
    names.map(async (name) => [
      name,
      ...(await db.collection(name).indexes())
        .filter((index) => index.name !== '_id_')
        .map((index) => `${name} ${described(index.key, index)}`),
    ]),
  );
  return rows.flat().sort();
}

function described(key: object, { unique, expireAfterSeconds }: { unique?: boolean; expireAfterSeconds?: number }) {
  const fields = Object.entries(key).map(([field, direction]) => `${field}:${String(direction)}`);
  const expiring = expireAfterSeconds === undefined ? '' : ` expiring ${expireAfterSeconds}`;
  return `${fields.join(',')}${unique === true ? ' unique' : ''}${expiring}`;
}

describe('migrations', () => {
  it('create exactly the collections and indexes that the code relies on', async () => {
    const database = aDatabase();
    const { app } = await startInstance(database, {}, [AccessModule, CredentialsModule, TokensModule, UsageModule]);
    try {
      const { models } = app.get(MongoStore).connection;
      const expected = Object.values(models).flatMap(({ collection: { name }, schema }) => [
        name,
        ...schema.indexes().map(([key, options]) => `${name} ${described(key, options as object)}`),
      ]);
      expect(await layoutOf(await opened(database))).toEqual(expected.sort());
    } finally {
      await app.close();
    }
  });

  it('are recorded, and run once even if several processes run them at the same time', async () => {
    const database = aDatabase();
    const said: string[][] = [[], [], [], [], []];
    const counts = await Promise.all(
      said.map((lines) =>
        migrateDatabase({
          uri: database.migrationUri,
          migrations,
          say: (line) => lines.push(line),
          waitMs: WAIT_MS,
        }),
      ),
    );
    expect(counts.sort()).toEqual([0, 0, 0, 0, migrations.length]);
    const made = said.flat().filter((line) => line.includes('collection events: created'));
    expect(made).toEqual(['migration 1 (first-collections): collection events: created']);
    const db = await opened(database);
    expect(
      await db
        .collection(RECORDS)
        .find({ name: { $exists: true } })
        .sort({ _id: 1 })
        .toArray(),
    ).toEqual(migrations.map(({ number, name }) => ({ _id: number, name, at: expect.any(Date) })));
    expect(await database.migrate()).toBe(0);
  });

  it('adopt a database of version 0.1.0 unchanged', async () => {
    const database = aDatabase();
    const db = await opened(database);
    const layout = JSON.parse(
      readFileSync(join(import.meta.dirname, '..', 'support', 'layout-0.1.0.json'), 'utf8'),
    ) as Record<string, mongo.IndexDescription[]>;
    for (const [name, indexes] of Object.entries(layout)) {
      await db.createCollection(name);
      if (indexes.length > 0) await db.collection(name).createIndexes(indexes);
    }
    const before = await layoutOf(db);
    const said: string[] = [];
    const first = { uri: database.migrationUri, migrations: migrations.slice(0, 1), waitMs: WAIT_MS };
    expect(await migrateDatabase({ ...first, say: (line) => said.push(line) })).toBe(1);
    expect(said).toEqual(['migration 1 (first-collections): started', 'migration 1 (first-collections): done']);
    expect(await layoutOf(db)).toEqual(before);
  });

  it('continue after a connection was lost in the middle', async () => {
    const database = aDatabase();
    const proxy = await TcpProxy.before(database.migrationUri);
    const reached = proxy.hangAt({ text: 'credential_client_id' });
    const migrated = migrateDatabase({
      uri: proxy.storeUri(database.migrationUri),
      migrations,
      say: () => undefined,
      waitMs: WAIT_MS,
    });
    await reached;
    proxy.hang(false);
    proxy.cut();
    expect(await migrated).toBe(migrations.length);
    expect(await layoutOf(await opened(database))).toContain('credentials clientId:1 unique');
    await proxy.away();
  });

  it('allow an index to take longer than the service’s usual time limit', async () => {
    const database = aDatabase();
    const proxy = await TcpProxy.before(database.migrationUri);
    let sent = 0;
    proxy.onSent = (_client, chunk) => (sent += chunk.includes('credential_client_id') ? 1 : 0);
    const reached = proxy.hangAt({ text: 'credential_client_id', passed: true });
    const migrated = migrateDatabase({
      uri: proxy.storeUri(database.migrationUri),
      migrations,
      say: () => undefined,
      waitMs: WAIT_MS,
    });
    await reached;
    await pause(3_000); // the service's connections give up after two seconds
    proxy.hang(false);
    expect(await migrated).toBe(migrations.length);
    expect(sent).toBe(1);
    await proxy.away();
  });

  it('continue after a crashed process, once its lease has expired', async () => {
    const database = aDatabase();
    const db = await opened(database);
    const times = { leaseMs: 300, renewMs: 60_000, retryMs: 20 };
    const stuck: Migration = { number: 1, name: 'stuck', run: () => new Promise(() => undefined) };
    void new Migrator(db, [stuck], () => undefined, times).run();
    while ((await db.collection(RECORDS).findOne({ holder: { $ne: '' } })) === null) await pause(20);
    const said: string[] = [];
    const next: Migration = { number: 1, name: 'next', run: (steps) => steps.createLayout({ example: [] }) };
    expect(await new Migrator(db, [next], (line) => said.push(line), times).run()).toBe(1);
    expect(said).toEqual([
      'another process is migrating this database; waiting',
      'migration 1 (next): started',
      'migration 1 (next): collection example: created',
      'migration 1 (next): done',
    ]);
  });

  it('fail with the reason if data violate a unique index, and are not recorded', async () => {
    const database = aDatabase();
    const db = await opened(database);
    await (
      await database.collection<{ _id: string; name: string }>('things')
    ).insertMany([
      { _id: 'a', name: 'same' },
      { _id: 'b', name: 'same' },
    ]);
    const unique: Migration = {
      number: 1,
      name: 'unique-things',
      run: (steps) => steps.createLayout({ things: [{ key: { name: 1 }, unique: true }] }),
    };
    const run = { uri: database.migrationUri, migrations: [unique], say: () => undefined, waitMs: WAIT_MS };
    await expect(migrateDatabase(run)).rejects.toThrow(/An index cannot be created as this version needs it/);
    expect(await db.collection<{ _id: number }>(RECORDS).countDocuments({ _id: 1 })).toBe(0);
  });
});
