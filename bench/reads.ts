// node bench/reads.ts: how many reads the store gets while tokens are verified repeatedly (README.md).
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import mongoose from 'mongoose';
import { ensureBuilt } from '../tools/service/build.ts';
import { load } from './load/wrk.ts';
import type { Workload } from './load/wrk.ts';
import { cpuSeconds } from './machine.ts';
import { ensureWrk, startStores } from './stores.ts';
import type { BenchStores } from './stores.ts';
import { createCredential, createOperation, seedResourceServer } from './targets/latchkey-admin.ts';
import type { BenchCredential } from './targets/latchkey-admin.ts';
import { forwardAuthOf } from './targets/latchkey.ts';
import { beside, startLatchkey } from './targets/start.ts';

const checkout = fileURLToPath(new URL('..', import.meta.url));
const say = (line: string): void => void process.stderr.write(`· ${line}\n`);

const OPERATIONS = 10;
const CONNECTIONS = 16;
const WARM_EACH = 1_000;
const WARM_TRIES = 5;
const BATCH = 5_000;
const HOUR_MS = 3_600_000;
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** A service to measure. */
interface Subject {
  readonly name: string;
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
}

interface Row {
  readonly subject: string;
  readonly tokens: number;
  readonly findsPerSecond: number;
  readonly kilobytesPerSecond: number;
  readonly requestsPerSecond: number;
  readonly cpuMsEach: number;
}

/** A token as the service issues it: `lk_at_`, the credential's handle, 43 random characters and a CRC-32. */
function tokenOf({ clientId }: BenchCredential): string {
  const random = Array.from(randomBytes(43), (byte) => BASE62[byte % 62]).join('');
  const text = `lk_at_${clientId.slice('lk_ci_'.length)}${random}`;
  let rest = crc32(text);
  let sum = '';
  for (let digit = 0; digit < 6; digit += 1) {
    sum = (BASE62[rest % 62] ?? '') + sum;
    rest = Math.floor(rest / 62);
  }
  return text + sum;
}

/** Inserts live tokens into the store: more than the ten that a credential may have. */
async function fill(db: mongoose.mongo.Db, credentials: readonly BenchCredential[], count: number): Promise<string[]> {
  const made = Array.from({ length: count }, (_unused, at) => {
    const credential = credentials[at % credentials.length] as BenchCredential;
    return { credential, slot: Math.floor(at / credentials.length), token: tokenOf(credential) };
  });
  for (let from = 0; from < count; from += BATCH) {
    const documents = made.slice(from, from + BATCH).map(({ credential, slot, token }) => ({
      _id: createHash('sha256').update(token).digest('base64url') as never,
      id: `tk_${randomBytes(16).toString('hex')}`,
      credentialId: credential.id,
      operationId: credential.operationId,
      clientId: credential.clientId,
      slot,
      scope: ['bench.read'],
      issuedAt: new Date(),
      expiresAt: new Date(Date.now() + HOUR_MS),
      issuedTo: null,
    }));
    await db.collection('tokens').insertMany(documents, { ordered: false });
  }
  return made.map(({ token }) => token);
}

/** Verifies each token once: the first verification is always a read. Each run of wrk begins with the first request. */
async function warm(run: Parameters<typeof load>[0]): Promise<void> {
  const { requests } = run.workload;
  for (let from = 0; from < requests.length; from += WARM_EACH) {
    const part = { requests: requests.slice(from, from + WARM_EACH) };
    for (let tries = 0; tries < WARM_TRIES; tries += 1) {
      if ((await load({ ...run, workload: part, seconds: 1 })).requests >= part.requests.length) break;
    }
  }
}

interface Status {
  readonly metrics: { readonly commands: Readonly<Record<string, { readonly total: number }>> };
  readonly network: { readonly bytesOut: number };
}

async function measure(subject: Subject, stores: BenchStores, tokens: number, seconds: number): Promise<Row> {
  const own = beside(stores, `${subject.name.replaceAll(/\W/g, '')}_${tokens}`);
  const server = await startLatchkey(subject.root, own, { LATCHKEY_ROLE: 'http', ...subject.env });
  const client = await new mongoose.mongo.MongoClient(own.mongodbUri).connect();
  try {
    const asker = await seedResourceServer(server.url);
    const credentials: BenchCredential[] = [];
    for (let at = 0; at < OPERATIONS; at += 1) {
      const operationId = await createOperation(server.url, `Operation ${at}`);
      credentials.push(await createCredential(server.url, operationId, 'one'));
    }
    const made = await fill(client.db(), credentials, tokens);
    const workload: Workload = { requests: made.map((token) => forwardAuthOf(asker, token)) };
    const { folder } = stores;
    const run = { url: server.url, connections: CONNECTIONS, workload, folder, name: 'reads', seconds };
    const status = async (): Promise<Status> =>
      (await client.db('admin').command({ serverStatus: 1 })) as unknown as Status;
    await warm(run);
    const before = await status();
    const cpuBefore = cpuSeconds(server.pid);
    const result = await load(run);
    const cpu = cpuSeconds(server.pid) - cpuBefore;
    const after = await status();
    const finds = (of: Status): number => of.metrics.commands['find']?.total ?? 0;
    return {
      subject: subject.name,
      tokens,
      findsPerSecond: (finds(after) - finds(before)) / result.seconds,
      kilobytesPerSecond: (after.network.bytesOut - before.network.bytesOut) / result.seconds / 1_000,
      requestsPerSecond: result.requests / result.seconds,
      cpuMsEach: (cpu * 1_000) / result.requests,
    };
  } finally {
    await client.close();
    await server.stop();
  }
}

function table(rows: readonly Row[]): string {
  const line = (row: Row): string =>
    `| ${row.subject} | ${row.tokens} | ${row.findsPerSecond.toFixed(1)} | ${row.kilobytesPerSecond.toFixed(1)} | ` +
    `${row.requestsPerSecond.toFixed(0)} | ${row.cpuMsEach.toFixed(3)} |`;
  return [
    '| service | tokens in use | `find` a second | kB a second from the store | requests a second | CPU ms a request |',
    '|---|---|---|---|---|---|',
    ...rows.map(line),
  ].join('\n');
}

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '500,5000,50000' },
    seconds: { type: 'string', default: '10' },
    against: { type: 'string' },
  },
});
await ensureWrk(say);
await ensureBuilt(checkout, say);
const stores = await startStores(join(checkout, '.data', 'binaries'), say);
try {
  const subjects: Subject[] = [
    { name: 'this', root: checkout, env: {} },
    { name: 'by the lease alone', root: checkout, env: { LATCHKEY_RIGHTS_VERSION: 'off' } },
    ...(values.against === undefined ? [] : [{ name: 'other', root: values.against, env: {} }]),
  ];
  const rows: Row[] = [];
  for (const size of values.sizes.split(',').map(Number)) {
    for (const subject of subjects) {
      rows.push(await measure(subject, stores, size, Number(values.seconds)));
      say(table(rows.slice(-1)).split('\n').at(-1) ?? '');
    }
  }
  process.stdout.write(`${table(rows)}\n`);
} finally {
  await stores.stop();
}
