// npm run bench: measures Latchkey beside its peers (README.md).
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBuilt } from '../tools/service/build.ts';
import { StartError } from '../tools/local-stores/processes.ts';
import { HELP, readOptions } from './options.ts';
import type { Options } from './options.ts';
import { measureDeletions } from './parts/deletion.ts';
import { runRounds } from './parts/load-rounds.ts';
import { measurePruning } from './parts/prune.ts';
import { measureStarts } from './parts/start-time.ts';
import type { Measured } from './report/measured.ts';
import { compare } from './report/regression.ts';
import { notesOf, resultsPage } from './report/results.ts';
import type { Circumstances } from './report/results.ts';
import { goalTable } from './report/tables.ts';
import { describeStore, ensureWrk, startStores } from './stores.ts';
import type { BenchStores } from './stores.ts';
import { buildPeers, seedPeers } from './targets/peers.ts';
import { startTargets } from './targets/start.ts';

const checkout = fileURLToPath(new URL('..', import.meta.url));
const resultsFile = join(checkout, 'bench', 'RESULTS.md');
const say = (line: string): void => void process.stderr.write(`· ${line}\n`);

async function measure(options: Options, root: string, stores: BenchStores): Promise<Measured> {
  const { parts, quick } = options;
  await buildPeers();
  await seedPeers(stores.peerRedisUrl);
  const load = parts.includes('load') ? await measureLoad(options, root, stores) : [];
  const deletion = { root, stores, trials: quick ? 2 : 25, verifications: quick ? 100 : 500, say };
  const deletions = parts.includes('deletion') ? await measureDeletions(deletion) : [];
  const starts = parts.includes('start') ? await measureStarts(root, stores, quick ? 1 : 9, say) : [];
  const prunings = parts.includes('prune')
    ? await measurePruning({ root, stores, sizes: options.pruneSizes, say })
    : [];
  return { load, deletions, starts, prunings };
}

async function measureLoad(options: Options, root: string, stores: BenchStores): Promise<Measured['load']> {
  const started = await startTargets(options, root, stores, say);
  try {
    return await runRounds(started.targets, { ...options, folder: stores.folder, say });
  } finally {
    await started.stop();
  }
}

async function circumstancesOf(root: string, stores: BenchStores): Promise<Circumstances> {
  const git = (...args: string[]): string => execFileSync('git', ['-C', root, ...args], { encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain', '--untracked-files=no', 'apps', 'libs') === '' ? '' : ' and changes';
  return {
    root,
    command: ['npm run bench --', ...process.argv.slice(2)].join(' ').replace(/ --$/, ''),
    store: await describeStore(stores),
    commit: git('rev-parse', '--short', 'HEAD') + changed,
  };
}

/** Slower than the other checkout: the exit code says so, for a script that runs before a release. */
function reportComparison(measured: Measured): void {
  const { table, faults } = compare(measured);
  process.stdout.write(`\n${table}\n`);
  for (const fault of faults) say(fault);
  if (faults.length > 0) process.exitCode = 1;
}

async function main(options: Options): Promise<void> {
  await ensureWrk(say);
  const root = options.root ?? checkout;
  if (options.root === undefined) await ensureBuilt(checkout, say);
  const stores = await startStores(join(checkout, '.data', 'binaries'), say);
  try {
    const measured = await measure(options, root, stores);
    if (options.rows !== undefined) writeFileSync(options.rows, JSON.stringify(measured, null, 1));
    process.stdout.write(`${goalTable(measured)}\n`);
    if (options.against !== undefined) reportComparison(measured);
    if (!options.write) return;
    const notes = existsSync(resultsFile) ? notesOf(readFileSync(resultsFile, 'utf8')) : '';
    writeFileSync(resultsFile, resultsPage(measured, await circumstancesOf(root, stores), notes));
    say(`written: ${resultsFile}`);
  } finally {
    await stores.stop();
  }
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) process.stdout.write(`${HELP}\n`);
  else await main(options);
} catch (error) {
  process.stderr.write(`${error instanceof StartError ? error.message : String((error as Error).stack)}\n`);
  process.exitCode = 1;
}
