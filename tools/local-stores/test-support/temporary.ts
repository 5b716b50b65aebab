import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clearLeftovers, Ledger } from '../ledger.ts';
import { ledgerFile } from '../index.ts';
import type { StoreContext } from '../context.ts';

/** A folder for one test, what is started in it, and the end of both. */
export interface Temporary {
  readonly folder: string;
  /** What starting a store wants to know; each call is a new run with the same data. */
  readonly context: (durable: boolean) => StoreContext;
  readonly said: string[];
  readonly remove: () => Promise<void>;
}

/** Makes one. */
export function temporary(): Temporary {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-test-'));
  const said: string[] = [];
  const ledgers: Ledger[] = [];
  return {
    folder,
    said,
    context: (durable) => {
      const ledger = new Ledger(ledgerFile(folder));
      ledgers.push(ledger);
      return { dataFolder: folder, binariesFolder: folder, durable, ledger, say: (line) => said.push(line) };
    },
    remove: async () => {
      for (const ledger of ledgers) await ledger.close();
      await clearLeftovers(ledgerFile(folder), () => undefined);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
