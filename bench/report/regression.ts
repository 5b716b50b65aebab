import { spreadText } from '../statistics.ts';
import { scenarios } from '../targets/target.ts';
import type { Scenario } from '../targets/target.ts';
import { ratio } from './measured.ts';
import type { Measured } from './measured.ts';
import { table } from './tables.ts';

/** The maximum ratio of the medians of CPU per request. In four rounds, less cannot be told from noise. */
const MAX_GROWTH = 1.05;
/** With fewer rounds a single disturbed one decides. */
const MIN_ROUNDS = 4;

/** This checkout beside another one, in all scenarios. */
export interface Comparison {
  readonly table: string;
  /** Why it is slower, or cannot be compared; empty if neither. */
  readonly faults: readonly string[];
}

/** Compares the CPU per request of `Latchkey` with that of `Other`. A scenario that was not run is left out. */
export function compare({ load }: Pick<Measured, 'load'>): Comparison {
  const compared = (Object.keys(scenarios) as Scenario[]).flatMap((scenario) => {
    // wrong secrets are measured at an instance of their own
    const [own, other] = scenario === 'WS' ? ['Guessing', 'OtherGuessing'] : ['Latchkey', 'Other'];
    const spread = ratio(load, 'cpuMs', { target: own, scenario }, { target: other, scenario });
    return Number.isFinite(spread.median) ? [{ scenario, spread }] : [];
  });
  const rounds = new Set(load.map(({ round }) => round)).size;
  const faults = compared
    .filter(({ spread }) => spread.median > MAX_GROWTH)
    .map(({ scenario, spread }) => `${scenario} costs ${spread.median.toFixed(2)} times the CPU of the other checkout`);
  if (compared.length === 0) faults.push('no scenario was run against both checkouts');
  if (rounds < MIN_ROUNDS) faults.push(`${rounds} rounds decide nothing; use --rounds ${MIN_ROUNDS} or more`);
  const rows = compared.map(({ scenario, spread }) => [`${scenario}: ${scenarios[scenario]}`, spreadText(spread, 2)]);
  return { table: table(['CPU per request', '× the other checkout: median (least–most)'], rows), faults };
}
