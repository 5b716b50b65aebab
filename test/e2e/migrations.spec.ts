import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Api } from '../support/api.ts';
import { TestDatabase } from '../support/database.ts';
import { Service } from '../support/service.ts';
import { latchkey } from '../support/latchkey.ts';

describe('a database without the layout of this version', () => {
  let database: TestDatabase;
  let service: Service;

  beforeEach(() => {
    database = new TestDatabase();
    service = new Service(database, { database, awaitReady: false, migrate: false });
  });
  afterEach(async () => {
    await service.stop();
    await database.drop();
  });

  async function refusal(): Promise<string> {
    const line = await service.logged(({ msg }) => msg === 'waiting for MongoDB');
    expect((await fetch(`${service.url}/readyz`)).status).toBe(503);
    expect((await new Api(service.url).get('/v1/operations')).status).toBe(503);
    return String(line['reason']);
  }

  it('is not served before migration, and is served afterwards without a restart', async () => {
    await service.start();
    expect(await refusal()).toMatch(/migration 1\b.* has not run: run latchkey migrate/);
    expect(await database.collections()).toEqual([]);
    const { status, stderr } = await latchkey(['migrate'], { MIGRATION_MONGODB_URI: database.migrationUri });
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringContaining('collection events: created\n') });
    await service.ready();
  });

  it('is not served while a TTL index on events exists, and is served once it is dropped', async () => {
    await database.migrate();
    const events = await database.collection('events');
    await events.createIndex({ at: 1 }, { expireAfterSeconds: 1_000_000_000, name: 'eraser' }, {});
    await service.start();
    expect(await refusal()).toContain('TTL index eraser of events deletes documents: drop it immediately');
    await events.dropIndex('eraser');
    await service.ready();
  });

  it.each([
    ['events', 'chain_1_seq_1', { chain: 1, seq: 1 }, 'index chain:1,seq:1 of events'],
    ['tokens', 'credentialId_1_slot_1', { credentialId: 1, slot: 1 }, 'index credentialId:1,slot:1 of tokens'],
  ] as const)('is not served while a unique index of %s is missing or not unique', async (name, index, key, text) => {
    await database.migrate();
    const collection = await database.collection(name);
    await collection.dropIndex(index);
    await service.start();
    expect(await refusal()).toContain(`${text} is missing`);
    const from = service.lines.length;
    await collection.createIndex(key, { name: index }, {});
    const line = await service.logged(({ msg }) => msg === 'waiting for MongoDB', from);
    expect(line['reason']).toContain(`${text} is not unique, not unique`);
  });
});

describe('latchkey migrate', () => {
  it('exits 69 when the database cannot be reached in time, and says where it looked', async () => {
    const { status, stderr } = await latchkey(['migrate', '--wait', '0'], {
      MIGRATION_MONGODB_URI: 'mongodb://127.0.0.1:1/none',
    });
    expect(status).toBe(69);
    expect(stderr).toMatch(/could not be reached within 0 s: .*127\.0\.0\.1:1/);
  });

  it('exits 78 when no database is configured, and names the documentation', async () => {
    const { status, stderr } = await latchkey(['migrate']);
    expect({ status, stderr }).toEqual({ status: 78, stderr: expect.stringContaining('docs/operating.md') });
  });

  it('exits 64 when the wait time is not a number', async () => {
    const { status } = await latchkey(['migrate', '--wait', 'long']);
    expect(status).toBe(64);
  });
});
