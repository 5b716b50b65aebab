// npm start: builds what is not built, starts the stores that MONGODB_URI and REDIS_URL (or MONGODB_URI_FILE and
// REDIS_URL_FILE) do not name, runs the service.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endOnInterrupt } from './local-stores/interrupt.ts';
import { ledgerFile, startStores } from './local-stores/index.ts';
import { Ledger, clearLeftovers } from './local-stores/ledger.ts';
import { tryLock } from './local-stores/lock.ts';
import { isTaken } from './local-stores/ports.ts';
import { runningUriFile, storeUris } from './local-stores/store-uris.ts';
import { StartError } from './local-stores/processes.ts';
import { BUNDLE, ensureBuilt } from './service/build.ts';
import { migrateDatabase } from './service/migrate.ts';
import { chooseFirstAdmin } from './service/first-admin.ts';
import { withSecretFiles } from './service/secret-files.ts';
import { runService } from './service/run-service.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const dataFolder = join(root, '.data');
const say = (line: string): void => void process.stderr.write(`· ${line}\n`);

/** @throws StartError before anything is built or started for nothing; what else is wrong the service says itself */
async function checkPort({ PORT: port = '3000', HOST: host = '127.0.0.1' }: NodeJS.ProcessEnv): Promise<void> {
  if (!/^\d{1,5}$/.test(port) || !(await isTaken(Number(port), host))) return;
  throw new StartError(`Port ${port} of ${host} is in use. Choose another one, for example: PORT=3378 npm start`);
}

async function start(): Promise<number> {
  const given = withSecretFiles(process.env);
  await checkPort(given);
  const lock = await tryLock(`start ${dataFolder}`);
  if (typeof lock === 'number') {
    throw new StartError(`npm start already runs here (process ${lock}); end that first, or use another checkout`);
  }
  await clearLeftovers(ledgerFile(dataFolder), say);
  const ledger = new Ledger(ledgerFile(dataFolder));
  const leaveInterrupts = endOnInterrupt(ledger, say); // as long as the service, which ends by itself, does not run
  try {
    await ensureBuilt(root, say);
    const binariesFolder = join(dataFolder, 'binaries');
    const stores = await startStores({ dataFolder, binariesFolder, durable: true, ledger, say }, given);
    const uris = storeUris(stores, 'latchkey');
    await migrateDatabase(root, given['MIGRATION_MONGODB_URI'] ?? uris.migration);
    writeFileSync(runningUriFile(dataFolder), uris.service, { mode: 0o600 });
    leaveInterrupts();
    const admin = chooseFirstAdmin(given);
    const env = {
      ...given,
      MONGODB_URI: uris.service,
      REDIS_URL: stores.redisUrl,
      LATCHKEY_ADMIN_USERNAME: admin.username,
      LATCHKEY_ADMIN_PASSWORD: admin.password,
    };
    return await runService({ root, file: join(root, BUNDLE), env, admin, ledger });
  } finally {
    await ledger.close();
    lock.release();
  }
}

try {
  process.exitCode = await start();
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
