// node bench/contention.ts: token requests for one operation at several instances at once (README.md).
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { ensureBuilt } from '../tools/service/build.ts';
import { basic } from './load/raw-request.ts';
import { startStores } from './stores.ts';
import type { BenchStores } from './stores.ts';
import { createCredential, createOperation, seedResourceServer } from './targets/latchkey-admin.ts';
import type { BenchCredential } from './targets/latchkey-admin.ts';
import type { Server } from './targets/server.ts';
import { beside, startLatchkey } from './targets/start.ts';
import { eachOf, ensure } from './targets/target.ts';

const checkout = fileURLToPath(new URL('..', import.meta.url));
const say = (line: string): void => void process.stderr.write(`· ${line}\n`);

let runs = 0;
const CREDENTIALS = 10;
const WARM_SECONDS = 2;
/** What a network within a region costs, unless the environment says otherwise. */
process.env['LATCHKEY_STORE_RTT_MS'] ??= '1.2';
process.env['LATCHKEY_STORE_COMMIT_MS'] ??= '4';

/** How many instances issue for the operation, and how many callers each has. */
interface Crowd {
  readonly instances: number;
  readonly callers: number;
}

/** How long the answers of each status took, in milliseconds. */
type Answers = ReadonlyMap<number, readonly number[]>;

/** Callers that ask one instance for tokens, one after the other, until the time is up. */
async function ask(
  servers: readonly Server[],
  credentials: readonly BenchCredential[],
  { callers }: Crowd,
  seconds: number,
): Promise<Answers> {
  const untilMs = performance.now() + seconds * 1_000;
  const answers = new Map<number, number[]>();
  const call = async (url: string, { clientId, clientSecret }: BenchCredential): Promise<void> => {
    const headers = {
      authorization: basic(clientId, clientSecret),
      'content-type': 'application/x-www-form-urlencoded',
    };
    while (performance.now() < untilMs) {
      const sentAtMs = performance.now();
      const answer = await fetch(`${url}/oauth2/token`, {
        method: 'POST',
        headers,
        body: 'grant_type=client_credentials',
      });
      await answer.arrayBuffer();
      const of = answers.get(answer.status) ?? [];
      of.push(performance.now() - sentAtMs);
      answers.set(answer.status, of);
    }
  };
  await Promise.all(
    servers.flatMap(({ url }) =>
      Array.from({ length: callers }, (_unused, at) =>
        call(url, credentials[at % credentials.length] as BenchCredential),
      ),
    ),
  );
  return answers;
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/** @returns a row of the table, and whether every answer was a token */
function row({ instances, callers }: Crowd, answers: Answers, seconds: number): { text: string; isWell: boolean } {
  const sorted = [...answers.values()].flat().toSorted((a, b) => a - b);
  const others = [...answers].filter(([status]) => status !== 200).map(([status, of]) => `${status}: ${of.length}`);
  const ms = [0.5, 0.95, 0.99, 1].map((share) => percentile(sorted, share).toFixed(0));
  const cells = [
    `${instances} × ${callers}`,
    (sorted.length / seconds).toFixed(0),
    ...ms,
    others.join(', ') || 'none',
    loadavg()[0]?.toFixed(1) ?? '',
  ];
  return { text: `| ${cells.join(' | ')} |`, isWell: others.length === 0 };
}

/** The instances, and the credentials of one operation. */
async function start(
  stores: BenchStores,
  { instances }: Crowd,
): Promise<{ servers: Server[]; credentials: BenchCredential[] }> {
  const own = beside(stores, `contention_${(runs += 1)}`); // a run has a database of its own
  const first = await startLatchkey(checkout, own);
  const others = Array.from({ length: instances - 1 }, (_unused, at) => at);
  const servers = [first, ...(await eachOf(others, () => startLatchkey(checkout, own), 2))];
  await seedResourceServer(first.url); // makes the API too
  const operationId = await createOperation(first.url, 'sought after');
  const names = Array.from({ length: CREDENTIALS }, (_unused, at) => `one of them ${at}`);
  return { servers, credentials: await eachOf(names, (name) => createCredential(first.url, operationId, name)) };
}

async function measure(
  stores: BenchStores,
  crowd: Crowd,
  seconds: number,
): Promise<{ readonly text: string; readonly isWell: boolean }> {
  const { servers, credentials } = await start(stores, crowd);
  try {
    await ask(servers, credentials, crowd, WARM_SECONDS);
    await pause(500);
    return row(crowd, await ask(servers, credentials, crowd, seconds), seconds);
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

function crowdOf(text: string): Crowd {
  const [instances, callers] = text.split('x').map(Number) as [number, number];
  ensure(instances > 0 && callers > 0, `--crowds: ${text} is not INSTANCESxCALLERS`);
  return { instances, callers };
}

const { values } = parseArgs({
  options: {
    crowds: { type: 'string', default: '1x16,2x16,10x8' },
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '1' },
  },
});
const crowds = values.crowds.split(',').map(crowdOf);
await ensureBuilt(checkout, say);
const stores = await startStores(join(checkout, '.data', 'binaries'), say);
try {
  process.stdout.write(
    '| instances × callers | tokens a second | p50 ms | p95 | p99 | longest | other answers | load average |\n' +
      '|---|---|---|---|---|---|---|---|\n',
  );
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const crowd of crowds) {
      const { text, isWell } = await measure(stores, crowd, Number(values.seconds));
      process.stdout.write(`${text}\n`);
      if (!isWell) process.exitCode = 1;
    }
  }
} finally {
  await stores.stop();
}
