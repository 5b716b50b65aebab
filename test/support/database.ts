import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import mongoose from 'mongoose';
import type { mongo } from 'mongoose';
import type { StorePasswords } from '../../tools/local-stores/passwords.ts';
import { storeUris } from '../../tools/local-stores/store-uris.ts';
import { migrateDatabase, migrations } from '#migrations';

const MIGRATION_WAIT_MS = 60_000;

/** A database of its own for a suite, on the server that the test command started. */
export class TestDatabase {
  readonly name = `e2e_${randomBytes(6).toString('hex')}`;
  /** Signs in as the service does, by the role of tools/docker/mongo-init.js: for MONGODB_URI of a service. */
  readonly uri: string;
  /** Signs in as the user that makes collections and indexes. */
  readonly migrationUri: string;
  /** Signs in as the user that may remove archived events. */
  readonly retentionUri: string;
  /** Signs in as a user that may do everything. */
  readonly administratorUri: string;
  readonly redisUrl: string;
  private client: mongo.MongoClient | undefined;
  private migrated: Promise<number> | undefined;

  constructor() {
    const passwords = process.env['LATCHKEY_TEST_STORE_PASSWORDS'];
    const stores = {
      mongodbUri: required('MONGODB_URI'),
      passwords: passwords === undefined ? null : (JSON.parse(passwords) as StorePasswords),
    };
    const uris = storeUris(stores, this.name);
    this.uri = uris.service;
    this.migrationUri = uris.migration;
    this.retentionUri = uris.retention;
    this.administratorUri = uris.administrator;
    this.redisUrl = required('REDIS_URL');
  }

  /** Migrates it to this version, once: the service itself creates no collection. */
  migrate(): Promise<number> {
    this.migrated ??= migrateDatabase({
      uri: this.migrationUri,
      migrations,
      say: () => undefined,
      waitMs: MIGRATION_WAIT_MS,
    });
    return this.migrated;
  }

  /** The service's data, for direct access. */
  async collection<T extends mongo.Document = mongo.Document>(name: string): Promise<mongo.Collection<T>> {
    this.client ??= await new mongoose.mongo.MongoClient(this.administratorUri).connect();
    return this.client.db().collection<T>(name);
  }

  /** The names of all collections. */
  async collections(): Promise<string[]> {
    this.client ??= await new mongoose.mongo.MongoClient(this.administratorUri).connect();
    return (await this.client.db().listCollections().toArray()).map(({ name }) => name);
  }

  /** The prefix of the service's keys in Redis; waits until it has one. */
  async redisPrefix(): Promise<string> {
    const settings = await this.collection<{ _id: string; value: string }>('settings');
    for (;;) {
      const found = await settings.findOne({ _id: 'deployment-id' });
      if (found !== null) return `{latchkey-${this.name}-${found.value}}`;
      await pause(20);
    }
  }

  /** Removes the database and the service's keys in Redis. */
  async drop(): Promise<void> {
    this.client ??= await new mongoose.mongo.MongoClient(this.administratorUri).connect();
    // a killed instance may have left a transaction open, which prevents the drop of its collections
    const instances = await this.client.db().collection('instances').find().toArray();
    const sessions = instances.flatMap((instance) => (instance['sessions'] as mongo.Binary[]).map((id) => ({ id })));
    if (sessions.length > 0) await this.client.db('admin').command({ killSessions: sessions });
    await this.client.db().dropDatabase();
    await this.client.close();
    const redis = new Redis(this.redisUrl);
    for await (const keys of redis.scanStream({ match: `*${this.name}*`, count: 1000 })) {
      if ((keys as string[]).length > 0) await redis.unlink(...(keys as string[]));
    }
    redis.disconnect();
  }
}

/** An environment variable that the test command sets. @throws Error that says how to set it */
export function required(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') {
    throw new Error(`${name} is not set: run the tests with npm test, or take it from npm test -- --stores-only`);
  }
  return value;
}
