// npm test: builds what is not built, starts stores for the tests, finds or installs the programs they need, runs them.
//   npm test -- ARGS          ARGS go to Jest
//   npm test -- --stores-only only starts the stores, prints how to use them and waits for Ctrl-C
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StartError } from './local-stores/processes.ts';
import { ensureBuilt } from './service/build.ts';
import { runJest } from './testing/jest-run.ts';
import type { Counts } from './testing/jest-run.ts';
import { ensurePrograms } from './testing/programs.ts';
import { startTestStores } from './testing/test-stores.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const binariesFolder = join(root, '.data', 'binaries');
const say = (line: string): void => void process.stderr.write(`· ${line}\n`);

async function storesOnly(): Promise<void> {
  const { mongodbUri, redisUrl } = await startTestStores(binariesFolder, say);
  process.stdout.write(`export MONGODB_URI='${mongodbUri}' REDIS_URL='${redisUrl}'\n`);
  say('Ctrl-C ends the stores and removes their data');
  setInterval(() => undefined, 2 ** 31 - 1); // an interrupt ends it
}

async function runTests(args: readonly string[]): Promise<Counts> {
  await ensureBuilt(root, say);
  const programs = await ensurePrograms(process.env, say);
  const { mongodbUri, redisUrl, stop } = await startTestStores(binariesFolder, say);
  try {
    const env = { ...process.env, ...programs, MONGODB_URI: mongodbUri, REDIS_URL: redisUrl, NODE_ENV: 'test' };
    return await runJest(root, args, env, say);
  } finally {
    await stop();
  }
}

async function reportTests(args: readonly string[]): Promise<void> {
  let counts: Counts = { passed: 0, failed: 1, skipped: 0 };
  try {
    counts = await runTests(args);
  } catch (error) {
    process.stderr.write(`${error instanceof StartError ? error.message : String((error as Error).stack)}\n`);
  }
  if (counts.skipped > 0) say(`${counts.skipped} tests were not run (skipped, to do, or not asked for)`);
  process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`);
  process.exitCode = counts.failed === 0 ? 0 : 1;
}

const args = process.argv.slice(2);
if (args.includes('--stores-only')) {
  await storesOnly().catch((error: unknown) => {
    if (!(error instanceof StartError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  });
} else {
  await reportTests(args);
}
