import { load } from '../load/wrk.ts';
import type { Workload } from '../load/wrk.ts';
import { cpuSeconds, machineBusySeconds, residentMb } from '../machine.ts';
import { scenarios } from '../targets/target.ts';
import type { Scenario, Target } from '../targets/target.ts';

const WARM_REQUESTS = 5_000;
const WARM_TURNS_AT_MOST = 6;

/** One run of one scenario against one target. */
export interface LoadRow {
  readonly round: number;
  readonly scenario: Scenario;
  readonly target: string;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU milliseconds of the server process and its children per request. */
  readonly cpuMs: number;
  readonly residentMb: number;
  /** How many of the machine's cores were busy during the run, with any work. */
  readonly busyShare: number;
}

export interface RoundOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmSeconds: number;
  readonly scenarios: readonly Scenario[];
  readonly folder: string;
  readonly say: (line: string) => void;
}

interface Run {
  readonly scenario: Scenario;
  readonly target: Target;
}

type Workloads = ReadonlyMap<Target, Partial<Record<Scenario, Workload>>>;

/**
 * Visits every scenario of every target once per round, in reverse in every other round, so that compared runs are
 * close together and no target always comes first.
 *
 * @throws Error when a target does not behave
 */
export async function runRounds(targets: readonly Target[], options: RoundOptions): Promise<LoadRow[]> {
  const rows: LoadRow[] = [];
  let workloads = await prepare(targets);
  const runs = runsOf(targets, workloads, options.scenarios);
  const seconds = runs.length * (options.warmSeconds + options.rounds * (options.seconds + 0.5));
  options.say(`${runs.length} runs a round; about ${Math.ceil(seconds / 60)} min`);
  for (const run of runs) await warmUp(run, workloads, options);
  for (let round = 0; round < options.rounds; round += 1) {
    if (round > 0) workloads = await prepare(targets);
    for (const run of round % 2 === 0 ? runs : runs.toReversed()) {
      const row = { round, ...(await runOnce(run, workloads, options.seconds, options)) };
      rows.push(row);
      options.say(lineOf(row));
    }
    for (const target of targets) await target.verify();
  }
  return rows;
}

/** Fast targets warm up for a fixed time; slow ones get more, so that their code is compiled as well. */
async function warmUp(run: Run, workloads: Workloads, options: RoundOptions): Promise<void> {
  let requests = 0;
  for (let turn = 0; turn < WARM_TURNS_AT_MOST && requests < WARM_REQUESTS; turn += 1) {
    const { requestsPerSecond } = await runOnce(run, workloads, options.warmSeconds, options);
    requests += requestsPerSecond * options.warmSeconds;
  }
}

async function prepare(targets: readonly Target[]): Promise<Workloads> {
  const workloads = new Map<Target, Partial<Record<Scenario, Workload>>>();
  for (const target of targets) workloads.set(target, await target.prepare());
  return workloads;
}

function runsOf(targets: readonly Target[], workloads: Workloads, wanted: readonly Scenario[]): Run[] {
  const all = Object.keys(scenarios) as Scenario[];
  return all
    .filter((scenario) => wanted.includes(scenario))
    .flatMap((scenario) => targets.map((target) => ({ scenario, target })))
    .filter(({ scenario, target }) => workloads.get(target)?.[scenario] !== undefined);
}

async function runOnce(
  { scenario, target }: Run,
  workloads: Workloads,
  seconds: number,
  { folder }: RoundOptions,
): Promise<Omit<LoadRow, 'round'>> {
  const workload = workloads.get(target)?.[scenario];
  if (workload === undefined) throw new Error(`${target.name} has no ${scenario}`);
  const { url, pid } = target.server;
  const cpuBefore = cpuSeconds(pid);
  const busyBefore = machineBusySeconds();
  const startedAt = performance.now();
  const result = await load({ url, seconds, workload, folder, name: `${target.name} ${scenario}` });
  const elapsed = (performance.now() - startedAt) / 1000;
  return {
    scenario,
    target: target.name,
    requestsPerSecond: result.requests / result.seconds,
    p50Ms: result.p50Ms,
    p99Ms: result.p99Ms,
    cpuMs: ((cpuSeconds(pid) - cpuBefore) / result.requests) * 1000,
    residentMb: residentMb(pid),
    busyShare: (machineBusySeconds() - busyBefore) / elapsed,
  };
}

function lineOf(row: LoadRow): string {
  const { round, scenario, target, requestsPerSecond, p50Ms, p99Ms, cpuMs, residentMb: memory, busyShare } = row;
  const speed = `${requestsPerSecond.toFixed(0).padStart(6)}/s  p50 ${p50Ms.toFixed(2)}  p99 ${p99Ms.toFixed(2)} ms`;
  const costs = `CPU ${cpuMs.toFixed(4)} ms  ${memory.toFixed(0)} MB  machine ${busyShare.toFixed(1)} cores`;
  return `${round + 1}  ${scenario.padEnd(3)} ${target.padEnd(9)} ${speed}  ${costs}`;
}
