import { scenarios } from '../targets/target.ts';
import type { Scenario } from '../targets/target.ts';
import { median, spreadOf, spreadText } from '../statistics.ts';
import type { LoadRow } from '../parts/load-rounds.ts';

/** What is aimed at: the scenario's CPU time for each request as a ratio to another target's (or to our own S1). */
interface Goal {
  readonly scenario: Scenario;
  readonly to: 'A' | 'B' | 'L2' | 'own S1';
  readonly must?: number;
  readonly aim: number;
}

const goals: readonly Goal[] = [
  { scenario: 'S1', to: 'A', must: 1, aim: 0.45 },
  { scenario: 'S2', to: 'A', must: 0.45, aim: 0.2 },
  { scenario: 'S2', to: 'B', aim: 0.75 },
  { scenario: 'S3', to: 'A', must: 0.55, aim: 0.25 },
  { scenario: 'S4', to: 'A', must: 0.5, aim: 0.25 },
  { scenario: 'S4', to: 'B', aim: 0.8 },
  { scenario: 'FA', to: 'L2', must: 2, aim: 1.2 },
  { scenario: 'WS', to: 'own S1', must: 1, aim: 0.7 },
];

/** Of the service under test: rounds with guesses go to an instance of their own, which does not limit them. */
const OURS: readonly string[] = ['Latchkey', 'Guessing'];

/** One line of each scenario and target: medians and extremes over the rounds. */
export function absoluteTable(rows: readonly LoadRow[]): string {
  const lines = Object.entries(scenarios).flatMap(([scenario, what]) =>
    [
      ...Map.groupBy(
        rows.filter((row) => row.scenario === scenario),
        (row) => row.target,
      ),
    ].map(([target, own]) => {
      const cpu = spreadText(spreadOf(own.map((row) => row.cpuMs)), 3);
      const of = (pick: (row: LoadRow) => number, digits: number): string => median(own.map(pick)).toFixed(digits);
      const cells = [of((row) => row.requestsPerSecond, 0), of((row) => row.p50Ms, 1), of((row) => row.p99Ms, 1)];
      return `| ${scenario}: ${what} | ${target} | ${cpu} | ${cells.join(' | ')} | ${of((row) => row.residentMb, 0)} |`;
    }),
  );
  return [
    '| scenario | server | CPU ms a request | requests/s | p50 ms | p99 ms | resident MB |',
    '|---|---|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}

/** The goals and what was reached: medians of the ratios within each round. */
export function goalTable(rows: readonly LoadRow[]): string {
  const lines = goals.map(({ scenario, to, must, aim }) => {
    const ratios = roundRatios(rows, scenario, to);
    const reached = median(ratios);
    const verdict = reached <= aim ? 'aim' : must !== undefined && reached <= must ? 'must' : 'missed';
    const goal = `${must === undefined ? '' : `must ≤ ${must}, `}aim ≤ ${aim}`;
    return `| ${scenario} | ${to} | ${goal} | ${spreadText(spreadOf(ratios), 2)} | ${ratios.length === 0 ? 'not measured' : verdict} |`;
  });
  return ['| scenario | beside | goal | ratio of CPU a request | reached |', '|---|---|---|---|---|', ...lines].join(
    '\n',
  );
}

function roundRatios(rows: readonly LoadRow[], scenario: Scenario, to: Goal['to']): number[] {
  const ours = rows.filter((row) => row.scenario === scenario && OURS.includes(row.target));
  return ours.flatMap((own) => {
    const other =
      to === 'own S1'
        ? rows.find((row) => row.round === own.round && row.scenario === 'S1' && row.target === 'Latchkey')
        : rows.find(
            (row) => row.round === own.round && row.scenario === (to === 'L2' ? 'S0' : scenario) && row.target === to,
          );
    return other === undefined ? [] : [own.cpuMs / other.cpuMs];
  });
}
