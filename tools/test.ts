// npm test: builds what is not built, starts stores for the tests, finds or installs the programs they need, runs them.
//   npm test -- ARGS          ARGS go to Jest
//   npm test -- --stores-only only starts the stores, prints how to use them and waits for Ctrl-C
import { fileURLToPath } from 'node:url';
import { StartError } from './local-stores/processes.ts';
import { binariesFolder, reportTests } from './testing/run-tests.ts';
import { startTestStores } from './testing/test-stores.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const say = (line: string): void => void process.stderr.write(`· ${line}\n`);

async function storesOnly(): Promise<void> {
  const { mongodbUri, redisUrl, passwords } = await startTestStores(binariesFolder(root), say);
  const users = passwords === null ? '' : ` LATCHKEY_TEST_STORE_PASSWORDS='${JSON.stringify(passwords)}'`;
  process.stdout.write(`export MONGODB_URI='${mongodbUri}' REDIS_URL='${redisUrl}'${users}\n`);
  say('Ctrl-C ends the stores and removes their data');
  setInterval(() => undefined, 2 ** 31 - 1); // an interrupt ends it
}

const args = process.argv.slice(2);
if (args.includes('--stores-only')) {
  await storesOnly().catch((error: unknown) => {
    if (!(error instanceof StartError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  });
} else {
  await reportTests({ root, args, env: process.env, withPrograms: true, say });
}
