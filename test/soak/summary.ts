import type { Verified } from './verdict.ts';

const ERRORS_SHOWN = 20;

/** The result of a soak. */
export interface Outcome {
  readonly seed: number;
  readonly minutes: number;
  /** How often each fault happened. */
  readonly faults: Readonly<Record<string, number>>;
  /** Requests by action and status; 0 is no answer. */
  readonly requests: Readonly<Record<string, number>>;
  readonly auditor: Readonly<Record<string, number>>;
  /** Error log lines of the instances. */
  readonly errors: readonly string[];
  readonly slowestMs: number;
  readonly askedOfDead: number;
  readonly verified: Verified;
  /** Violations, one sentence each. */
  readonly violations: readonly string[];
}

/** The command that repeats the faults; requests do not follow from the seed. */
export function repeatCommand({ minutes, seed }: { readonly minutes: number; readonly seed: number }): string {
  return `npm run test:soak -- --minutes ${minutes} --seed ${seed}`;
}

/** How often requests came to each status; 0 is no answer. */
export function byStatus(requests: Readonly<Record<string, number>>): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [what, count] of Object.entries(requests)) {
    const status = what.split(' ').at(-1)!;
    sums[status] = (sums[status] ?? 0) + count;
  }
  return sums;
}

/** `a 1, b 2`, by name. */
export function listed(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length === 0 ? 'none' : entries.map(([what, count]) => `${what} ${count}`).join(', ');
}

/** The final output, one line each. */
export function summary(outcome: Outcome): string[] {
  const { faults, requests, auditor, errors, verified, violations } = outcome;
  const total = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0);
  return [
    `seed ${outcome.seed}, ${outcome.minutes} minutes`,
    `faults: ${total(faults)}`,
    ...Object.entries(faults)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([what, count]) => `  ${String(count).padStart(4)}  ${what}`),
    `requests: ${total(requests)}; by status (0 is no answer): ${listed(byStatus(requests))}`,
    `  ${listed(requests)}`,
    `slowest answer: ${(outcome.slowestMs / 1000).toFixed(1)} s`,
    `tokens issued: ${requests['issue 200'] ?? 0}; credentials deleted: ${requests['remove 204'] ?? 0}; ` +
      `questions about dead tokens: ${outcome.askedOfDead}`,
    `auditor: ${listed(auditor)}`,
    `logged as errors: ${errors.length}`,
    ...errors.slice(0, ERRORS_SHOWN).map((line) => `  ${line}`),
    `verified: ${verified.events} events in ${verified.chains} chains against ${verified.checkpoints} checkpoints`,
    `violations: ${violations.length}`,
    ...violations.map((violation) => `  ! ${violation}`),
  ];
}
