import { cpuSeconds, residentMb } from '../machine.ts';
import type { BenchStores } from '../stores.ts';
import { latchkeyCommand, migrateLatchkey } from '../targets/latchkey.ts';
import { peerCommand, peers } from '../targets/peers.ts';
import type { PeerName } from '../targets/peers.ts';
import { answers, startServer } from '../targets/server.ts';
import type { ServerCommand } from '../targets/server.ts';
import { beside } from '../targets/start.ts';

/** One start. */
export interface StartRow {
  readonly round: number;
  readonly target: string;
  /** Milliseconds from the start of the process to its first answer of any status. */
  readonly firstAnswerMs: number;
  /** … and until Latchkey is ready. */
  readonly readyMs: number | undefined;
  /** CPU seconds of the start. */
  readonly cpuSeconds: number;
  readonly residentMb: number;
}

interface Starter {
  readonly target: string;
  readonly command: ServerCommand;
  readonly readyPath: string | undefined;
}

/** Starts the built service and the peers in turn, with running, filled stores. */
export async function measureStarts(
  root: string,
  stores: BenchStores,
  rounds: number,
  say: (line: string) => void,
): Promise<StartRow[]> {
  const own = beside(stores, 'start');
  const starters: Starter[] = [
    { target: 'Latchkey', command: latchkeyCommand(root, own), readyPath: '/readyz' },
    ...(Object.keys(peers) as PeerName[]).map((target) => ({
      target,
      command: peerCommand(peers[target].file, stores.peerRedisUrl),
      readyPath: undefined,
    })),
  ];
  await migrateLatchkey(root, own);
  // the first start fills the disk's cache
  for (const starter of starters) await startOnce(starter, -1);
  const rows: StartRow[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const starter of round % 2 === 0 ? starters : starters.toReversed()) {
      const row = await startOnce(starter, round);
      rows.push(row);
      const ready = row.readyMs === undefined ? '' : `, ready after ${row.readyMs.toFixed(0)} ms`;
      say(`start ${row.target}: first answer after ${row.firstAnswerMs.toFixed(0)} ms${ready}`);
    }
  }
  return rows;
}

async function startOnce({ target, command, readyPath }: Starter, round: number): Promise<StartRow> {
  const startedAtMs = performance.now();
  const server = await startServer(command);
  await answers(server.url, () => true);
  const firstAnswerMs = performance.now() - startedAtMs;
  const row = { round, target, firstAnswerMs, cpuSeconds: cpuSeconds(server.pid), residentMb: residentMb(server.pid) };
  if (readyPath !== undefined) await answers(server.url + readyPath, (status) => status === 200);
  const readyMs = readyPath === undefined ? undefined : performance.now() - startedAtMs;
  await server.stop();
  return { ...row, readyMs };
}
