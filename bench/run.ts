// npm run bench: measures Latchkey beside its peers (README.md).
import { fileURLToPath } from 'node:url';
import { ensureBuilt } from '../tools/service/build.ts';
import { StartError } from '../tools/local-stores/processes.ts';
import { HELP, readOptions } from './options.ts';
import type { Options } from './options.ts';
import { runRounds } from './parts/load-rounds.ts';
import { ensureWrk, startStores } from './stores.ts';
import type { BenchStores } from './stores.ts';
import { startTargets } from './targets/start.ts';

const checkout = fileURLToPath(new URL('..', import.meta.url));
const say = (line: string): void => void process.stderr.write(`· ${line}\n`);

async function measure(options: Options, stores: BenchStores): Promise<void> {
  const started = await startTargets(options, options.root ?? checkout, stores, say);
  try {
    const rows = await runRounds(started.targets, { ...options, folder: stores.folder, say });
    process.stdout.write(JSON.stringify(rows));
  } finally {
    await started.stop();
  }
}

const options = readOptions(process.argv.slice(2));
if (options === undefined) {
  process.stdout.write(`${HELP}\n`);
} else {
  try {
    await ensureWrk(say);
    if (options.root === undefined) await ensureBuilt(checkout, say);
    const stores = await startStores(`${checkout}/.data/binaries`, say);
    await measure(options, stores).finally(() => stores.stop());
  } catch (error) {
    process.stderr.write(`${error instanceof StartError ? error.message : String((error as Error).stack)}\n`);
    process.exitCode = 1;
  }
}
