import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { StartError } from './local-stores/processes.ts';
import { startTestStores } from './testing/test-stores.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const say = (line: string): void => console.error(`· ${line}`);

async function storesOnly(): Promise<void> {
  const stores = await startTestStores(join(root, '.data', 'binaries'), say);
  console.log(`export MONGODB_URI='${stores.mongodbUri}' REDIS_URL='${stores.redisUrl}'`);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });
  await stores.stop();
}

try {
  if (process.argv.includes('--stores-only')) await storesOnly();
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
