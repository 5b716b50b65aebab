import { describe, expect, it } from '@jest/globals';
import type { LoadRow } from '../parts/load-rounds.ts';
import type { Scenario } from '../targets/target.ts';
import { compare } from './regression.ts';

/** @param pairs CPU milliseconds of this and of the other checkout, one pair per round */
function rows(scenario: Scenario, names: readonly [string, string], pairs: readonly [number, number][]): LoadRow[] {
  const other = { scenario, requestsPerSecond: 1, p50Ms: 1, p99Ms: 1, residentMb: 1, busyShare: 1 };
  return pairs.flatMap((pair, round) =>
    pair.map((cpuMs, index) => ({ ...other, round, cpuMs, target: names[index] ?? '' })),
  );
}

const OURS = ['Latchkey', 'Other'] as const;

describe('the comparison of two checkouts', () => {
  it('accepts a median within 5 %, whatever a single round says', () => {
    const load = rows('S2', OURS, [
      [1.04, 1],
      [3, 1],
      [1.02, 1],
      [0.9, 1],
      [1.03, 1],
    ]);
    expect(compare({ load })).toMatchObject({ faults: [] });
  });

  it('names each scenario that is slower, wrong secrets included', () => {
    const slow: [number, number][] = [1, 2, 3, 4].map((by) => [1.2 * by, by]);
    const load = [...rows('FA', OURS, slow), ...rows('WS', ['Guessing', 'OtherGuessing'], slow)];
    expect(compare({ load }).faults).toEqual([
      'FA costs 1.20 times the CPU of the other checkout',
      'WS costs 1.20 times the CPU of the other checkout',
    ]);
  });

  it('does not pass what was not compared, or in too few rounds', () => {
    expect(compare({ load: [] }).faults).toHaveLength(2);
    expect(compare({ load: rows('S1', OURS, [[1, 1]]) }).faults).toEqual([
      '1 rounds decide nothing; use --rounds 4 or more',
    ]);
  });
});
