import { randomInt } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { Soak } from './soak.ts';
import { repeatCommand, summary } from './summary.ts';

/** A third of a minute among the other tests; `npm run test:soak` sets both. */
const MINUTES = Number(process.env['LATCHKEY_SOAK_MINUTES'] ?? 1 / 3);
const SEED = Number(process.env['LATCHKEY_SOAK_SEED'] ?? randomInt(1, 100_000_000));
/** What the faults are followed by, in milliseconds, with all that is waited for. */
const AFTERWARDS_MS = 15 * 60_000;

const say = (line: string): void => void process.stderr.write(`· soak: ${line}\n`);

it(
  'every guarantee holds under random faults of instances and stores',
  async () => {
    const options = { minutes: MINUTES, seed: SEED };
    say(`the same faults again: ${repeatCommand(options)}`);
    const outcome = await new Soak({ ...options, say }).run();
    for (const line of summary(outcome)) say(line);
    expect(outcome.violations).toEqual([]);
    expect(outcome.askedOfDead).toBeGreaterThan(0);
    expect(outcome.verified.events).toBeGreaterThan(0);
  },
  MINUTES * 60_000 + AFTERWARDS_MS,
);
