import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import type { Say } from '../local-stores/debian.ts';

/** What came of a run of the tests. */
export interface Counts {
  readonly passed: number;
  /** a suite that could not run counts as one */
  readonly failed: number;
  readonly skipped: number;
}

/** Jest's summary, as far as it is read here. */
interface Summary {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly numRuntimeErrorTestSuites: number;
  readonly success: boolean;
}

/**
 * Counts from Jest's summary. Nothing that went wrong goes uncounted: no summary, no tests, or a failure that is in
 * none of the numbers is one failed.
 * @param json the summary as Jest wrote it, or null
 * @param exitCode Jest's
 */
export function countResults(json: string | null, exitCode: number | null): Counts {
  if (json === null) return { passed: 0, failed: 1, skipped: 0 };
  const summary = JSON.parse(json) as Summary;
  const passed = summary.numPassedTests;
  const failed = summary.numFailedTests + summary.numRuntimeErrorTestSuites;
  const skipped = summary.numPendingTests + summary.numTodoTests;
  const unaccounted = failed === 0 && (passed === 0 || !summary.success || exitCode !== 0);
  return { passed, failed: unaccounted ? 1 : failed, skipped };
}

/**
 * Runs Jest, showing what it shows.
 * @param root the checkout
 * @param args for Jest, from the command line
 * @param env what tests find there
 * @param say told the seed of the order
 * @returns real counts
 */
export async function runJest(
  root: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  say: Say,
): Promise<Counts> {
  const results = join(root, '.data', 'test-results.json');
  const written = `${results}.${process.pid}`; // another run may be under way
  mkdirSync(dirname(results), { recursive: true });
  const command = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  command.push(join(root, 'node_modules', 'jest', 'bin', 'jest.js'), '--json', `--outputFile=${written}`);
  command.push(...defaults(args, say), ...args);
  const child = spawn(process.execPath, command, { cwd: root, env, stdio: ['ignore', 2, 2] });
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on('SIGTERM', forward);
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  process.off('SIGTERM', forward);
  const summary = readIfThere(written);
  if (summary !== null) renameSync(written, results);
  return countResults(summary, exitCode);
}

/** What is not said on the command line: the seed, to be able to name it, and two workers where Jest would take one. */
function defaults(args: readonly string[], say: Say): string[] {
  const given = (...names: string[]): boolean =>
    args.some((arg) => names.some((name) => arg === name || arg.startsWith(`${name}=`)));
  const chosen: string[] = [];
  if (!given('--seed')) {
    const seed = randomInt(1, 2 ** 31 - 1);
    chosen.push(`--seed=${seed}`);
    say(`the tests run in random order; the same again: npm test -- --seed=${seed}`);
  }
  if (!given('-i', '--runInBand', '-w', '--maxWorkers')) {
    chosen.push(`--maxWorkers=${Math.max(2, availableParallelism() - 1)}`);
  }
  return chosen;
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
