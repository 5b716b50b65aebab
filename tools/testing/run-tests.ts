import { join } from 'node:path';
import type { Say } from '../local-stores/debian.ts';
import { StartError } from '../local-stores/processes.ts';
import { ensureBuilt } from '../service/build.ts';
import { runJest } from './jest-run.ts';
import type { Counts } from './jest-run.ts';
import { ensurePrograms } from './programs.ts';
import { startTestStores } from './test-stores.ts';

/** What is to be run, and with what. */
export interface TestRun {
  /** the checkout */
  readonly root: string;
  /** for Jest */
  readonly args: readonly string[];
  /** what tests find there, beside where stores and programs are */
  readonly env: NodeJS.ProcessEnv;
  /** whether the tests need the programs that are run beside the stores */
  readonly withPrograms: boolean;
  readonly say: Say;
}

/** Where downloaded programs are kept. */
export function binariesFolder(root: string): string {
  return join(root, '.data', 'binaries');
}

/**
 * Builds what is not built, starts stores, finds or installs the programs that the tests need, runs them, and prints
 * how many passed and failed. The exit code is 1 unless all is well.
 */
export async function reportTests(run: TestRun): Promise<void> {
  let counts: Counts = { passed: 0, failed: 1, skipped: 0 };
  try {
    counts = await runTests(run);
  } catch (error) {
    process.stderr.write(`${error instanceof StartError ? error.message : String((error as Error).stack)}\n`);
  }
  if (counts.skipped > 0) run.say(`${counts.skipped} tests were not run (skipped, to do, or not asked for)`);
  process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`);
  process.exitCode = counts.failed === 0 ? 0 : 1;
}

async function runTests({ root, args, env, withPrograms, say }: TestRun): Promise<Counts> {
  await ensureBuilt(root, say);
  const programs = withPrograms ? await ensurePrograms(env, say) : {};
  const { mongodbUri, redisUrl, passwords, stop } = await startTestStores(binariesFolder(root), say);
  try {
    const users = passwords === null ? {} : { LATCHKEY_TEST_STORE_PASSWORDS: JSON.stringify(passwords) };
    const stores = { MONGODB_URI: mongodbUri, REDIS_URL: redisUrl, ...users };
    return await runJest(root, args, { ...env, ...programs, ...stores, NODE_ENV: 'test' }, say);
  } finally {
    await stop();
  }
}
