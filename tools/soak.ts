// npm run test:soak: two instances under load for minutes, to which and to whose stores everything happens that may
// (test/soak).
//   npm run test:soak -- --minutes 10 --seed 7
import { randomInt } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { reportTests } from './testing/run-tests.ts';

const HELP = `npm run test:soak -- [options]
  --minutes N   how long faults happen (10)
  --seed N      chooses the faults, a whole number (a random one, which is printed)
`;

const root = fileURLToPath(new URL('..', import.meta.url));
const say = (line: string): void => void process.stderr.write(`· ${line}\n`);

/** Reads the command line. @returns undefined when help was asked for @throws Error for what cannot be understood */
function readOptions(args: readonly string[]): { minutes: number; seed: number } | undefined {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { minutes: text, seed: text, help: { type: 'boolean', default: false } },
  });
  if (values.help) return undefined;
  const minutes = Number(values.minutes ?? 10);
  const seed = Number(values.seed ?? randomInt(1, 100_000_000));
  if (!(minutes > 0) || !Number.isSafeInteger(seed)) throw new Error(`that cannot be understood:\n${HELP}`);
  return { minutes, seed };
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) {
    process.stdout.write(HELP);
    return;
  }
  const { minutes, seed } = options;
  const env = { ...process.env, LATCHKEY_SOAK_MINUTES: String(minutes), LATCHKEY_SOAK_SEED: String(seed) };
  // Jest has a seed too, for an order that one test does not have
  const args = ['test/soak', '--runInBand', `--seed=${seed % 2 ** 31}`];
  await reportTests({ root, args, env, withPrograms: false, say });
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
