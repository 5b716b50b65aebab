// npm run admin:reset [-- --username NAME]: a new password for a platform-admin. It needs the database alone: the one
// that MONGODB_URI (or MONGODB_URI_FILE) names, that of the npm start which runs here, or that of the next one.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ledgerFile } from './local-stores/index.ts';
import { endOnInterrupt } from './local-stores/interrupt.ts';
import { Ledger, clearLeftovers } from './local-stores/ledger.ts';
import { tryLock } from './local-stores/lock.ts';
import { startMongoDb } from './local-stores/mongodb.ts';
import { storePasswords } from './local-stores/passwords.ts';
import { StartError } from './local-stores/processes.ts';
import { runningUriFile, storeUris } from './local-stores/store-uris.ts';
import { BUNDLE, ensureBuilt } from './service/build.ts';
import { migrateDatabase } from './service/migrate.ts';
import { withSecretFiles } from './service/secret-files.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const dataFolder = join(root, '.data');
const say = (line: string): void => void process.stderr.write(`· ${line}\n`);

/** @returns its exit code */
function reset(uri: string): number {
  const args = [join(root, BUNDLE), 'admin-reset', ...process.argv.slice(2)];
  const env = { PATH: process.env['PATH'], MONGODB_URI: uri };
  return spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env }).status ?? 1;
}

async function resetInOwnStore(): Promise<number> {
  const lock = await tryLock(`start ${dataFolder}`);
  if (typeof lock === 'number') return reset(readFileSync(runningUriFile(dataFolder), 'utf8'));
  await clearLeftovers(ledgerFile(dataFolder), say);
  const ledger = new Ledger(ledgerFile(dataFolder));
  const leaveInterrupts = endOnInterrupt(ledger, say);
  try {
    const context = { dataFolder, binariesFolder: join(dataFolder, 'binaries'), durable: true, ledger, say };
    const mongodbUri = await startMongoDb(context);
    const uris = storeUris({ mongodbUri, passwords: storePasswords(dataFolder) }, 'latchkey');
    await migrateDatabase(root, uris.migration);
    return reset(uris.service);
  } finally {
    await ledger.close();
    leaveInterrupts();
    lock.release();
  }
}

try {
  await ensureBuilt(root, say);
  const named = withSecretFiles(process.env)['MONGODB_URI'] ?? '';
  process.exitCode = named === '' ? await resetInOwnStore() : reset(named);
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
