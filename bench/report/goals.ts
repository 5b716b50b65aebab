import { spreadOf, spreadText } from '../statistics.ts';
import type { Spread } from '../statistics.ts';
import { memoryRatio, ratio, startRatio } from './measured.ts';
import type { Measured, Run } from './measured.ts';
import type { Scenario } from '../targets/target.ts';

/** One measured value, with its required and its desired maximum. */
interface Bound {
  readonly unit: string;
  readonly spread: Spread;
  readonly must: number | undefined;
  readonly aim: number;
}

/** A goal with its measured value. */
export interface Goal {
  readonly what: string;
  readonly must: string;
  readonly aim: string;
  readonly measured: string;
  readonly verdict: 'aim' | 'must' | 'missed' | 'not measured';
}

const OURS = 'Latchkey';

function run(target: string, scenario: Scenario): Run {
  return { target, scenario };
}

function cpu({ load }: Measured, scenario: Scenario, other: Run): Spread {
  return ratio(load, 'cpuMs', run(OURS, scenario), other);
}

function bound(unit: string, spread: Spread, must: number | undefined, aim: number): Bound {
  return { unit, spread, must, aim };
}

function goal(what: string, bounds: readonly Bound[]): Goal {
  const within = (limit: (bound: Bound) => number | undefined): boolean =>
    bounds.every((each) => each.spread.median <= (limit(each) ?? Infinity));
  const known = bounds.every(({ spread }) => Number.isFinite(spread.median));
  const met = within(({ aim }) => aim) ? 'aim' : within(({ must }) => must) ? 'must' : 'missed';
  const limits = (limit: (bound: Bound) => number | undefined): string =>
    bounds
      .filter((each) => limit(each) !== undefined)
      .map((each) => `≤ ${limit(each) ?? ''} ${each.unit}`)
      .join(', ');
  return {
    what,
    must: limits(({ must }) => must),
    aim: limits(({ aim }) => aim),
    measured: bounds.map(({ spread, unit }) => `${spreadText(spread, 2)} ${unit}`).join(', '),
    verdict: known ? met : 'not measured',
  };
}

/** The goals, evaluated with the medians. */
export function goalsOf(measured: Measured): Goal[] {
  const a = (scenario: Scenario): Run => run('A', scenario);
  const b = (scenario: Scenario): Run => run('B', scenario);
  const against = (scenario: Scenario, other: Run): Spread => cpu(measured, scenario, other);
  const l2 = against('FA', run('L2', 'S0'));
  const latency = (value: 'p50Ms' | 'p99Ms'): Spread => ratio(measured.load, value, run(OURS, 'S2'), a('S2'));
  const wrong = ratio(measured.load, 'cpuMs', run('Guessing', 'WS'), run(OURS, 'S1'));
  return [
    goal('S1 token issue, CPU', [bound('× A', against('S1', a('S1')), 1, 0.6)]),
    goal('S2 introspection, CPU', [
      bound('× A', against('S2', a('S2')), 0.35, 0.25),
      bound('× B', against('S2', b('S2')), 0.9, 0.65),
    ]),
    goal('S3 unknown tokens, CPU', [bound('× A', against('S3', a('S3')), 0.45, 0.3)]),
    goal('S4 95 % S2 and 5 % S1, CPU', [bound('× B', against('S4', b('S4')), 1, 0.75)]),
    goal('forward-auth, CPU', [bound('× L2', l2, 1.3, 1)]),
    goal('p50 of S2', [bound('× A', latency('p50Ms'), 0.4, 0.25)]),
    goal('p99 of S2', [bound('× A', latency('p99Ms'), 0.4, 0.3)]),
    deletionGoal(measured),
    goal('resident memory after load', [bound('× A', memoryRatio(measured.load, OURS, 'A'), 1.4, 1.2)]),
    goal('start to first answer', [bound('× A', startRatio(measured.starts, OURS, 'A'), 2, 1.2)]),
    ...pruneGoals(measured),
    goal('a wrong secret, CPU', [bound('× own S1', wrong, 0.8, 0.6)]),
  ];
}

function deletionGoal({ deletions }: Measured): Goal {
  const ours = deletions.filter(({ target }) => target === OURS);
  const begun = ours.reduce((sum, { begunAfter }) => sum + begunAfter, 0);
  const accepted = ours.reduce((sum, { acceptedAfter }) => sum + acceptedAfter, 0);
  const verdict = accepted > 0 ? 'missed' : begun >= 10_000 ? 'aim' : begun >= 1_000 ? 'must' : 'not measured';
  return {
    what: 'accepted after the answer to DELETE',
    must: '0 of 1000',
    aim: '0 of 10000, two processes, under load',
    measured: begun === 0 ? '–' : `${accepted} of ${begun}`,
    verdict,
  };
}

function pruneGoals({ prunings }: Measured): Goal[] {
  const sizes = prunings.toSorted((one, other) => one.tokens - other.tokens);
  const [small, large] = [sizes.at(-2), sizes.at(-1)];
  const of = (value: number): Spread => spreadOf([value]);
  const growth = large === undefined || small === undefined ? NaN : large.cpuMsEach / small.cpuMsEach;
  const p99 = large === undefined ? NaN : large.meanwhileP99Ms / large.quietP99Ms;
  const what = `prune ${large?.tokens ?? 1e6} against ${small?.tokens ?? 1e5} tokens, CPU a token`;
  return [
    goal(what, [bound('×', of(growth), 1.15, 1)]),
    goal('p99 of S2 while pruning', [bound('× quiet', of(p99), 1.5, 1.2)]),
  ];
}
