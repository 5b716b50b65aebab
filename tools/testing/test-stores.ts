import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Say } from '../local-stores/debian.ts';
import { endOnInterrupt } from '../local-stores/interrupt.ts';
import { ledgerFile, startStores } from '../local-stores/index.ts';
import type { LocalStores } from '../local-stores/index.ts';
import { Ledger, clearLeftovers } from '../local-stores/ledger.ts';

const PREFIX = 'latchkey-test-';

/** Stores for tests, apart from those of `npm start`: nothing of them is kept. */
export interface TestStores extends LocalStores {
  readonly stop: () => Promise<void>;
}

/**
 * Starts stores for tests, unless MONGODB_URI and REDIS_URL name some. What killed runs have left is cleared first.
 * An interrupt of this process ends them.
 * @param binariesFolder where downloaded programs are kept
 * @param say told about progress
 * @throws StartError naming the choices if there is no way
 */
export async function startTestStores(binariesFolder: string, say: Say): Promise<TestStores> {
  await clearKilledRuns(say);
  const folder = mkdtempSync(join(tmpdir(), PREFIX));
  const ledger = new Ledger(ledgerFile(folder));
  ledger.addEphemeral(folder);
  const leaveInterrupts = endOnInterrupt(ledger, say);
  const stores = await startStores({ dataFolder: folder, binariesFolder, durable: false, ledger, say }, process.env);
  const stop = async (): Promise<void> => {
    await ledger.close();
    leaveInterrupts();
  };
  return { ...stores, stop };
}

async function clearKilledRuns(say: Say): Promise<void> {
  const folders = readdirSync(tmpdir()).filter((name) => name.startsWith(PREFIX));
  for (const name of folders) {
    const file = ledgerFile(join(tmpdir(), name));
    if (existsSync(file)) await clearLeftovers(file, say);
  }
}
