import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import mongoose from 'mongoose';
import { load } from '../load/wrk.ts';
import { cpuSeconds, residentMb } from '../machine.ts';
import { median } from '../statistics.ts';
import type { BenchStores } from '../stores.ts';
import { seedLatchkey } from '../targets/latchkey-admin.ts';
import { issueTokens, latchkeyCommand, latchkeyWorkloads } from '../targets/latchkey.ts';
import type { Stores } from '../targets/latchkey.ts';
import { startServer } from '../targets/server.ts';
import { beside, startLatchkey } from '../targets/start.ts';
import { ensure } from '../targets/target.ts';

/** The cost of pruning this many expired tokens. */
export interface PruneRow {
  readonly tokens: number;
  readonly seconds: number;
  /** CPU milliseconds of the worker per token. */
  readonly cpuMsEach: number;
  /** Resident memory of the worker before, and its maximum during pruning. */
  readonly residentBeforeMb: number;
  readonly residentMostMb: number;
  /** p99 of introspection at another process, before and during pruning. */
  readonly quietP99Ms: number;
  readonly meanwhileP99Ms: number;
}

export interface PruneOptions {
  readonly root: string;
  readonly stores: BenchStores;
  readonly sizes: readonly number[];
  readonly say: (line: string) => void;
}

const FILL_BATCH = 5_000;
const NOT_YET = new Date(Date.now() + 24 * 3_600_000);
const LOAD_SECONDS = 2;
const PRUNE_LIMIT_MS = 30 * 60_000;
/** A light load: it measures latency, not throughput. */
const CONNECTIONS = 4;

/** Fills the store with expired tokens and lets a worker prune them, while another process answers introspections. */
export async function measurePruning(options: PruneOptions): Promise<PruneRow[]> {
  const own = beside(options.stores, 'prune');
  const http = await startLatchkey(options.root, own, { LATCHKEY_ROLE: 'http' });
  const client = await new mongoose.mongo.MongoClient(own.mongodbUri).connect();
  const rows: PruneRow[] = [];
  try {
    const seed = await seedLatchkey(http.url);
    const { S2: workload = { requests: [] } } = latchkeyWorkloads(seed, await issueTokens(http.url, seed));
    const p99 = async (): Promise<number> => {
      const { folder } = options.stores;
      const name = 'introspection while pruning';
      const { url } = http;
      return (await load({ url, seconds: LOAD_SECONDS, connections: CONNECTIONS, workload, folder, name })).p99Ms;
    };
    await p99();
    for (const size of options.sizes) {
      options.say(`pruning ${size}: filling the store`);
      const row = await pruneOnce(options.root, own, client.db(), size, p99);
      rows.push(row);
      options.say(`pruned ${size} in ${row.seconds.toFixed(1)} s, ${(row.cpuMsEach * 1000).toFixed(1)} µs CPU a token`);
    }
  } finally {
    await client.close();
    await http.stop();
  }
  return rows;
}

/** Tokens that have not expired yet, so that pruning begins only after all are stored. */
async function fill(db: mongoose.mongo.Db, size: number): Promise<void> {
  for (let from = 0; from < size; from += FILL_BATCH) {
    const count = Math.min(FILL_BATCH, size - from);
    const tokens = Array.from({ length: count }, (_unused, at) => goneToken(from + at));
    await db.collection('tokens').insertMany(tokens, { ordered: false });
  }
}

/** A token document as the service stores it, ten per deleted credential. */
function goneToken(number: number): object {
  const owner = Math.floor(number / 10)
    .toString(36)
    .padStart(24, '0');
  return {
    _id: randomBytes(32).toString('base64url'),
    id: `tk_${randomBytes(16).toString('hex')}`,
    credentialId: `cr_gone_${owner}`,
    operationId: `op_${'0'.repeat(32)}`,
    clientId: `lk_ci_${owner}`,
    slot: number % 10,
    scope: ['bench.read'],
    issuedAt: new Date(),
    expiresAt: NOT_YET,
    issuedTo: '127.0.0.1',
  };
}

async function pruneOnce(
  root: string,
  own: Stores,
  db: mongoose.mongo.Db,
  size: number,
  p99: () => Promise<number>,
): Promise<PruneRow> {
  const worker = await startServer(latchkeyCommand(root, own, { LATCHKEY_ROLE: 'worker' }));
  try {
    await fill(db, size);
    await pause(1_500); // until nothing is running any more
    const quietP99Ms = median([await p99(), await p99(), await p99()]);
    await db.collection('tokens').updateMany({ expiresAt: NOT_YET }, { $set: { expiresAt: new Date(Date.now() - 1) } });
    const residentBeforeMb = residentMb(worker.pid);
    const cpuBefore = cpuSeconds(worker.pid);
    const startedAtMs = performance.now();
    await askForPruning(own);
    const meanwhile: number[] = [];
    let residentMostMb = residentBeforeMb;
    do {
      meanwhile.push(await p99());
      residentMostMb = Math.max(residentMostMb, residentMb(worker.pid));
      ensure(performance.now() - startedAtMs < PRUNE_LIMIT_MS, 'the expired tokens are not pruned');
    } while ((await expiredLeft(db)) > 0);
    const seconds = (performance.now() - startedAtMs) / 1000;
    const cpuMsEach = ((cpuSeconds(worker.pid) - cpuBefore) * 1000) / size;
    const meanwhileP99Ms = median(meanwhile);
    return { tokens: size, seconds, cpuMsEach, residentBeforeMb, residentMostMb, quietP99Ms, meanwhileP99Ms };
  } finally {
    await worker.stop();
  }
}

function expiredLeft(db: mongoose.mongo.Db): Promise<number> {
  return db.collection('tokens').countDocuments({ expiresAt: { $lt: new Date() } }, { limit: 1 });
}

/** Adds the job that the service's schedule would add within a minute. */
async function askForPruning({ mongodbUri, redisUrl }: Stores): Promise<void> {
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const database = new URL(mongodbUri).pathname.slice(1);
  const [meta] = await redis.keys(`*latchkey-${database}*:maintenance:meta`);
  ensure(meta !== undefined, 'the service has no maintenance queue');
  const queue = new Queue('maintenance', { connection: redis, prefix: (meta ?? '').replace(/:maintenance:meta$/, '') });
  await queue.add('prune-tokens', {});
  await queue.close();
  redis.disconnect();
}
