import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import mongoose from 'mongoose';
import { withDatabase } from '../tools/local-stores/index.ts';
import { freePort } from '../tools/local-stores/ports.ts';
import { installPackages, whyNoPackages } from '../tools/local-stores/debian.ts';
import { StartError, onPath } from '../tools/local-stores/processes.ts';
import { startTestStores } from '../tools/testing/test-stores.ts';
import type { Stores } from './targets/latchkey.ts';

/** The stores of all servers. */
export interface BenchStores {
  /** Latchkey's: MongoDB (or its stand-in) with a database of this run's own, and Redis. */
  readonly latchkey: Stores;
  /** The Redis of the peers. */
  readonly peerRedisUrl: string;
  /** A folder that is deleted with this run. */
  readonly folder: string;
  stop(): Promise<void>;
}

/** Makes sure that wrk is installed. @throws StartError if it cannot be installed */
export async function ensureWrk(say: (line: string) => void): Promise<void> {
  if (onPath('wrk') !== null) return;
  const obstacle = whyNoPackages();
  if (obstacle !== null) throw new StartError(`wrk is not on PATH, and ${obstacle}`);
  await installPackages(['wrk'], say);
}

/**
 * Starts the stores, unless MONGODB_URI and REDIS_URL name Latchkey's. The peers' Redis stores nothing on disk, which
 * favours the peers.
 */
export async function startStores(binariesFolder: string, say: (line: string) => void): Promise<BenchStores> {
  const stores = await startTestStores(binariesFolder, say);
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-'));
  const peers = await startPeerRedis(folder);
  const name = `bench_${process.pid}_${Date.now().toString(36)}`;
  return {
    latchkey: { mongodbUri: withDatabase(stores.mongodbUri, name), redisUrl: stores.redisUrl },
    peerRedisUrl: peers.url,
    folder,
    stop: async () => {
      peers.stop();
      rmSync(folder, { recursive: true, force: true });
      await dropDatabases(stores.mongodbUri, name).catch(() => undefined);
      await stores.stop();
    },
  };
}

/** Drops this run's databases, if the stores outlive the run. */
async function dropDatabases(mongodbUri: string, prefix: string): Promise<void> {
  const client = await new mongoose.mongo.MongoClient(mongodbUri).connect();
  const { databases } = await client.db().admin().listDatabases({ nameOnly: true });
  for (const { name } of databases) if (name.startsWith(prefix)) await client.db(name).dropDatabase();
  await client.close();
}

/** The kind of Latchkey's database, in a few words. */
export async function describeStore({ latchkey }: BenchStores): Promise<string> {
  const client = await new mongoose.mongo.MongoClient(latchkey.mongodbUri).connect();
  try {
    const { version, gitVersion } = (await client.db().admin().serverInfo()) as Record<
      'version' | 'gitVersion',
      string
    >;
    return gitVersion === 'documentdb'
      ? `DocumentDB on PostgreSQL in MongoDB's stead, by packages/documentdb-gateway (it says that it is ${version})`
      : `MongoDB ${version}`;
  } finally {
    await client.close();
  }
}

async function startPeerRedis(folder: string): Promise<{ url: string; stop: () => void }> {
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'];
  const child = spawn(onPath('redis-server') ?? 'valkey-server', args, { stdio: 'ignore' });
  const stop = (): void => void child.kill('SIGTERM');
  process.once('exit', stop);
  const url = `redis://127.0.0.1:${port}`;
  const redis = new Redis(url, { retryStrategy: () => 20 });
  redis.on('error', () => undefined); // not up yet
  await redis.ping();
  redis.disconnect();
  return { url, stop };
}
