import type { LoadRow } from '../parts/load-rounds.ts';
import { spreadOf, spreadText } from '../statistics.ts';
import { scenarios } from '../targets/target.ts';
import type { Scenario } from '../targets/target.ts';
import { memoryAfter, ratio, runsOf } from './measured.ts';
import type { Measured } from './measured.ts';
import { goalsOf } from './goals.ts';

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** The goals and how they were met. */
export function goalTable(measured: Measured): string {
  const rows = goalsOf(measured).map(({ what, must, aim, measured: found, verdict }) => [
    what,
    must === '' ? '–' : must,
    aim,
    found,
    verdict === 'missed' ? '**missed**' : verdict,
  ]);
  return table(['', 'must', 'aim', 'measured: median (least–most)', 'met'], rows);
}

/** A table for each scenario that was run. */
export function loadTables({ load }: Measured): string {
  const run = (Object.keys(scenarios) as Scenario[]).filter((scenario) =>
    load.some((row) => row.scenario === scenario),
  );
  return run.map((scenario) => `### ${scenario}: ${scenarios[scenario]}\n\n${loadTable(load, scenario)}`).join('\n\n');
}

function loadTable(rows: readonly LoadRow[], scenario: Scenario): string {
  const targets = [...new Set(rows.filter((row) => row.scenario === scenario).map(({ target }) => target))];
  const head = ['', 'CPU ms a request', '× A', '× B', '× L2', 'requests/s', 'p50 ms', 'p99 ms'];
  return table(
    head,
    targets.map((target) => {
      const runs = runsOf(rows, { target, scenario });
      const spread = (value: 'cpuMs' | 'requestsPerSecond' | 'p50Ms' | 'p99Ms', digits: number): string =>
        spreadText(spreadOf(runs.map((each) => each[value])), digits);
      const against = (other: string, at: Scenario): string =>
        spreadText(ratio(rows, 'cpuMs', { target, scenario }, { target: other, scenario: at }), 2);
      return [
        target,
        spread('cpuMs', 4),
        against('A', scenario),
        against('B', scenario),
        against('L2', 'S0'),
        spread('requestsPerSecond', 0),
        spread('p50Ms', 2),
        spread('p99Ms', 1),
      ];
    }),
  );
}

/** Results for tokens whose client was deleted. */
export function deletionTable({ deletions }: Measured): string {
  const targets = [...new Set(deletions.map(({ target }) => target))];
  return table(
    ['', 'trials', 'answered after, ms', 'first refusal after, ms', 'begun after the answer', 'of these accepted'],
    targets.map((target) => {
      const rows = deletions.filter((row) => row.target === target);
      const refusals = rows.flatMap(({ firstRefusalMs }) => (firstRefusalMs === null ? [] : [firstRefusalMs]));
      const sum = (of: (row: (typeof rows)[number]) => number): string =>
        String(rows.reduce((total, row) => total + of(row), 0));
      return [
        target,
        String(rows.length),
        spreadText(spreadOf(rows.map(({ answeredMs }) => answeredMs)), 0),
        refusals.length === 0 ? 'never' : spreadText(spreadOf(refusals), 0),
        sum(({ begunAfter }) => begunAfter),
        sum(({ acceptedAfter }) => acceptedAfter),
      ];
    }),
  );
}

/** Memory after the load, and the cost of a start. */
export function processTable({ load, starts }: Measured): string {
  const targets = [...new Set([...load, ...starts].map(({ target }) => target))];
  const text = (values: readonly number[], digits: number): string =>
    values.length === 0 ? '–' : spreadText(spreadOf(values), digits);
  return table(
    ['', 'MB after load', 'MB after start', 'first answer, ms', 'ready, ms', 'CPU s of the start'],
    targets.map((target) => {
      const own = starts.filter((row) => row.target === target);
      const memory = memoryAfter(load, target);
      return [
        target,
        Number.isFinite(memory) ? memory.toFixed(0) : '–',
        text(
          own.map((row) => row.residentMb),
          0,
        ),
        text(
          own.map((row) => row.firstAnswerMs),
          0,
        ),
        text(
          own.flatMap(({ readyMs }) => (readyMs === undefined ? [] : [readyMs])),
          0,
        ),
        text(
          own.map((row) => row.cpuSeconds),
          2,
        ),
      ];
    }),
  );
}

/** The cost of pruning. */
export function pruneTable({ prunings }: Measured): string {
  return table(
    ['tokens', 'seconds', 'CPU µs a token', 'MB before', 'MB at most', 'p99 of S2 quiet, ms', 'meanwhile, ms'],
    prunings.map((row) => [
      String(row.tokens),
      row.seconds.toFixed(1),
      (row.cpuMsEach * 1000).toFixed(1),
      row.residentBeforeMb.toFixed(0),
      row.residentMostMb.toFixed(0),
      row.quietP99Ms.toFixed(1),
      row.meanwhileP99Ms.toFixed(1),
    ]),
  );
}
