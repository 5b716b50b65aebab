import type { DeletionRow } from '../parts/deletion.ts';
import type { LoadRow } from '../parts/load-rounds.ts';
import type { PruneRow } from '../parts/prune.ts';
import type { StartRow } from '../parts/start-time.ts';
import { spreadOf } from '../statistics.ts';
import type { Spread } from '../statistics.ts';
import type { Scenario } from '../targets/target.ts';

/** All results of a run. Parts that were not run are empty. */
export interface Measured {
  readonly load: readonly LoadRow[];
  readonly deletions: readonly DeletionRow[];
  readonly starts: readonly StartRow[];
  readonly prunings: readonly PruneRow[];
}

/** The compared values of a run under load. */
export type LoadValue = 'cpuMs' | 'p50Ms' | 'p99Ms' | 'requestsPerSecond';

/** A target in a scenario. */
export interface Run {
  readonly target: string;
  readonly scenario: Scenario;
}

/** The runs of a target in a scenario, one per round. */
export function runsOf(rows: readonly LoadRow[], { target, scenario }: Run): LoadRow[] {
  return rows.filter((row) => row.target === target && row.scenario === scenario);
}

/** Ratio of two targets, computed per round since the machine is not equally busy in each. */
export function ratio(rows: readonly LoadRow[], value: LoadValue, one: Run, other: Run): Spread {
  const others = new Map(runsOf(rows, other).map((row) => [row.round, row[value]]));
  const ratios = runsOf(rows, one).flatMap((row) => {
    const against = others.get(row.round);
    return against === undefined ? [] : [row[value] / against];
  });
  return spreadOf(ratios);
}

/** Resident memory after all load, as a ratio of the two. */
export function memoryRatio(rows: readonly LoadRow[], one: string, other: string): Spread {
  const value = memoryAfter(rows, one) / memoryAfter(rows, other);
  return { median: value, least: value, most: value };
}

/** The maximum resident memory of a target, in MB; NaN if it was not measured. */
export function memoryAfter(rows: readonly LoadRow[], target: string): number {
  const values = rows.filter((row) => row.target === target).map((row) => row.residentMb);
  return values.length === 0 ? NaN : Math.max(...values);
}

/** The time to the first answer, as a ratio of the two, round by round. */
export function startRatio(rows: readonly StartRow[], one: string, other: string): Spread {
  const others = new Map(rows.filter(({ target }) => target === other).map((row) => [row.round, row.firstAnswerMs]));
  const ratios = rows
    .filter(({ target }) => target === one)
    .map((row) => row.firstAnswerMs / (others.get(row.round) ?? NaN));
  return spreadOf(ratios);
}
