import { parseArgs } from 'node:util';
import { scenarios } from './targets/target.ts';
import type { Scenario } from './targets/target.ts';

const parts = ['load', 'deletion', 'start', 'prune'] as const;

/** A part of the benchmark. */
export type Part = (typeof parts)[number];

/** The options of a run. */
export interface Options {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmSeconds: number;
  readonly quick: boolean;
  readonly targets: RegExp;
  readonly scenarios: readonly Scenario[];
  readonly parts: readonly Part[];
  /** Numbers of expired tokens to prune, one run each. */
  readonly pruneSizes: readonly number[];
  /** The checkout whose built service is measured. */
  readonly root: string | undefined;
  /** A second checkout, to compare with the first. */
  readonly against: string | undefined;
  /** Whether to write RESULTS.md. */
  readonly write: boolean;
  /** Where to write every single run as JSON. */
  readonly rows: string | undefined;
}

export const HELP = `npm run bench -- [options]
  --quick              a dry run: one round of a second each; writes no results
  --rounds N           rounds (7)
  --seconds N          of each run (3)
  --warm N             seconds of each warm-up before the first round (2)
  --parts LIST         of ${parts.join(',')} (all but prune, which is slow)
  --prune LIST         how many expired tokens to prune (10000,100000,1000000)
  --scenarios LIST     of ${Object.keys(scenarios).join(',')} (all)
  --targets REGEX      (whole name) of Latchkey, Guessing, A, B, L1, L2 (all)
  --root PATH          the checkout whose built service is measured (this one)
  --against PATH       another built checkout to measure beside it, as "Other"; the exit code is 1 if a scenario costs
                       more than 1.05 times its CPU
  --rows FILE          write every single run there as JSON
  --no-write           do not write bench/RESULTS.md`;

function oneOf<T extends string>(list: string, known: readonly T[]): T[] {
  return list.split(',').map((item) => {
    const found = known.find((each) => each === item);
    if (found === undefined) throw new Error(`${item} is none of ${known.join(', ')}`);
    return found;
  });
}

/** Reads the command line. @returns undefined for --help @throws Error for unknown options */
export function readOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      warm: { type: 'string' },
      parts: { type: 'string', default: 'load,deletion,start' },
      prune: { type: 'string', default: '10000,100000,1000000' },
      scenarios: { type: 'string', default: Object.keys(scenarios).join(',') },
      targets: { type: 'string', default: '.*' },
      root: { type: 'string' },
      against: { type: 'string' },
      rows: { type: 'string' },
      'no-write': { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  return {
    quick: values.quick,
    rounds: Number(values.rounds ?? (values.quick ? 1 : 7)),
    seconds: Number(values.seconds ?? (values.quick ? 1 : 3)),
    warmSeconds: Number(values.warm ?? (values.quick ? 1 : 2)),
    targets: new RegExp(`^(?:${values.targets})$`),
    scenarios: oneOf(values.scenarios, Object.keys(scenarios) as Scenario[]),
    parts: oneOf(values.parts, parts),
    pruneSizes: values.prune.split(',').map(Number),
    root: values.root,
    against: values.against,
    rows: values.rows,
    write: !values.quick && !values['no-write'],
  };
}
