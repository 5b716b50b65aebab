import { setTimeout as pause } from 'node:timers/promises';
import { startLoad } from '../load/wrk.ts';
import type { RunningLoad } from '../load/wrk.ts';
import { peerClients } from '../peers/clients.ts';
import type { PeerClient } from '../peers/clients.ts';
import type { BenchStores } from '../stores.ts';
import { createCredential, createOperation, deleteCredential, seedLatchkey } from '../targets/latchkey-admin.ts';
import type { BenchResourceServer } from '../targets/latchkey-admin.ts';
import { issueTokens, latchkeyAccepts, latchkeyToken, latchkeyWorkloads } from '../targets/latchkey.ts';
import { deletePeerClient, peerAccepts, peerCommand, peerToken, peers, seedPeers } from '../targets/peers.ts';
import type { PeerName } from '../targets/peers.ts';
import { startServer } from '../targets/server.ts';
import { beside, startLatchkey } from '../targets/start.ts';
import { eachOf } from '../targets/target.ts';

const TOKENS_EACH = 10;
/** Connections of the load on each process, besides those that verify tokens of the deleted credential. */
const LOAD_CONNECTIONS = 8;
const LOAD_LIMIT_SECONDS = 600;
/** Connections that verify tokens of the deleted credential, per process. */
const ASKERS = 3;
/** A trial that takes longer has failed, in milliseconds. */
const TRIAL_LIMIT_MS = 60_000;

/** The result of one deletion. */
export interface DeletionRow {
  readonly target: string;
  /** Milliseconds from the call to its answer. */
  readonly answeredMs: number;
  /** … and to the first refusal that was seen; null if there was none. */
  readonly firstRefusalMs: number | null;
  /** Verifications that began after the answer, and how many of them were accepted. */
  readonly begunAfter: number;
  readonly acceptedAfter: number;
}

export interface DeletionOptions {
  readonly root: string;
  readonly stores: BenchStores;
  readonly trials: number;
  /** Minimum of verifications after the answer in each trial. */
  readonly verifications: number;
  readonly say: (line: string) => void;
}

interface Trial {
  readonly target: string;
  /** Whether a token is accepted, by one of the processes. */
  readonly ask: readonly ((token: string) => Promise<boolean>)[];
  readonly tokens: readonly string[];
  readonly remove: () => Promise<void>;
}

/** Deletes credentials while their tokens are being verified, and counts the tokens accepted afterwards. */
export async function measureDeletions(options: DeletionOptions): Promise<DeletionRow[]> {
  const rows = await latchkeyDeletions(options);
  for (const name of Object.keys(peers) as PeerName[]) rows.push(...(await peerDeletions(name, options)));
  return rows;
}

async function latchkeyDeletions(options: DeletionOptions): Promise<DeletionRow[]> {
  const { root, stores, trials, verifications, say } = options;
  const own = beside(stores, 'deletion');
  const servers = [await startLatchkey(root, own)];
  servers.push(await startLatchkey(root, own));
  const [{ url } = { url: '' }] = servers;
  const seed = await seedLatchkey(url);
  const [asker] = seed.resourceServers as [BenchResourceServer];
  const workload = latchkeyWorkloads(seed, await issueTokens(url, seed)).S2 ?? { requests: [] };
  const operationId = await createOperation(url, 'to be deleted');
  const loads: RunningLoad[] = servers.map((server, at) =>
    startLoad({
      url: server.url,
      seconds: LOAD_LIMIT_SECONDS,
      connections: LOAD_CONNECTIONS,
      workload,
      folder: stores.folder,
      name: `deletion load ${at}`,
    }),
  );
  const rows: DeletionRow[] = [];
  for (let trial = 1; trial <= trials; trial += 1) {
    const credential = await createCredential(url, operationId, `trial ${trial}`);
    const tokens = await eachOf(Array<undefined>(TOKENS_EACH).fill(undefined), () => latchkeyToken(url, credential));
    const ask = servers.map((server) => (token: string) => latchkeyAccepts(server.url, asker, token));
    const remove = (): Promise<void> => deleteCredential(url, credential);
    rows.push(await runTrial({ target: 'Latchkey', ask, tokens, remove }, verifications));
    say(lineOf(rows.at(-1)));
  }
  for (const running of loads) running.stop();
  await Promise.all(loads.map(({ result }) => result)); // fails if a live token of another credential was refused
  await Promise.all(servers.map((server) => server.stop()));
  return rows;
}

async function peerDeletions(name: PeerName, options: DeletionOptions): Promise<DeletionRow[]> {
  const { stores, say } = options;
  await seedPeers(stores.peerRedisUrl);
  const server = await startServer(peerCommand(peers[name].file, stores.peerRedisUrl));
  const asker = peerClients.at(-1) as PeerClient;
  const rows: DeletionRow[] = [];
  for (const client of peerClients.slice(0, 5)) {
    const tokens = await eachOf(Array<undefined>(TOKENS_EACH).fill(undefined), () =>
      peerToken(server.url, name, client),
    );
    const ask = [(token: string): Promise<boolean> => peerAccepts(server.url, name, asker, token)];
    const remove = (): Promise<void> => deletePeerClient(stores.peerRedisUrl, name, client.id);
    rows.push(await runTrial({ target: name, ask, tokens, remove }, 200));
    say(lineOf(rows.at(-1)));
  }
  await server.stop();
  return rows;
}

interface Verification {
  readonly beganAtMs: number;
  readonly endedAtMs: number;
  readonly accepted: boolean;
}

/** Verifies without pause, deletes in between, and stops after enough verifications that began after the answer. */
async function runTrial({ target, ask, tokens, remove }: Trial, wanted: number): Promise<DeletionRow> {
  const seen: Verification[] = [];
  let answeredAtMs = Infinity;
  let after = 0;
  const goOn = (): boolean => after < wanted;
  const askers = ask.flatMap((accepts) => Array<typeof accepts>(ASKERS).fill(accepts));
  const asking = askers.map(async (accepts, at) => {
    for (let turn = at; goOn(); turn += 1) {
      const beganAtMs = performance.now();
      const accepted = await accepts(tokens[turn % tokens.length] ?? '');
      seen.push({ beganAtMs, endedAtMs: performance.now(), accepted });
      if (beganAtMs > answeredAtMs) after += 1;
    }
  });
  await pause(300); // every instance has cached the credential now
  const calledAtMs = performance.now();
  await remove();
  answeredAtMs = performance.now();
  await Promise.race([Promise.all(asking), pause(TRIAL_LIMIT_MS, undefined, { ref: false })]);
  const begunAfter = seen.filter(({ beganAtMs }) => beganAtMs > answeredAtMs);
  const refusals = seen.filter(({ accepted, endedAtMs }) => !accepted && endedAtMs > calledAtMs);
  return {
    target,
    answeredMs: answeredAtMs - calledAtMs,
    firstRefusalMs: refusals.length === 0 ? null : Math.min(...refusals.map((each) => each.endedAtMs)) - calledAtMs,
    begunAfter: begunAfter.length,
    acceptedAfter: begunAfter.filter(({ accepted }) => accepted).length,
  };
}

function lineOf(row: DeletionRow | undefined): string {
  if (row === undefined) return '';
  const { target, answeredMs, firstRefusalMs, begunAfter, acceptedAfter } = row;
  const refused = firstRefusalMs === null ? 'never refused' : `first refusal after ${firstRefusalMs.toFixed(0)} ms`;
  return `deletion ${target}: answered after ${answeredMs.toFixed(0)} ms, ${refused}, ${acceptedAfter} of ${begunAfter} accepted`;
}
