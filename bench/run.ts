// npm run bench: measures Latchkey beside its peers (README.md).
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ensureBuilt } from '../tools/service/build.ts';
import { StartError } from '../tools/local-stores/processes.ts';
import { describeMachine } from './machine.ts';
import { HELP, readOptions } from './options.ts';
import type { Options } from './options.ts';
import { runRounds } from './parts/load-rounds.ts';
import { absoluteTable, goalTable } from './report/load-table.ts';
import { ensureWrk, startStores } from './stores.ts';
import type { BenchStores } from './stores.ts';
import { startTargets } from './targets/start.ts';

const checkout = fileURLToPath(new URL('..', import.meta.url));
const say = (line: string): void => void process.stderr.write(`· ${line}\n`);

async function measure(options: Options, stores: BenchStores): Promise<void> {
  const started = await startTargets(options, options.root ?? checkout, stores, say);
  try {
    const rows = await runRounds(started.targets, { ...options, folder: stores.folder, say });
    if (options.rows !== undefined) writeFileSync(options.rows, JSON.stringify(rows, null, 1));
    const report = `${goalTable(rows)}\n\n${absoluteTable(rows)}\n`;
    process.stdout.write(report);
    if (options.write) writeFileSync(`${checkout}/bench/RESULTS.md`, resultsPage(options, report));
  } finally {
    await started.stop();
  }
}

function resultsPage({ rounds, seconds }: Options, report: string): string {
  const when = new Date().toISOString().slice(0, 10);
  return `# Results of ${when}

\`npm run bench -- ${process.argv.slice(2).join(' ')}\`: ${rounds} interleaved rounds of ${seconds} s, 32 keep-alive connections, one server process each, Node ${process.versions.node}.
${describeMachine()}.

What was measured, and what these figures do not say: README.md. CPU is that of the server process with its threads and children. Ratios are medians (least–most) of the ratios within each round.

${report}`;
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
