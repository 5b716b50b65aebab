import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { ledgerFile, startStores } from './index.ts';
import { Ledger } from './ledger.ts';

it('says which stores the environment names, and not their passwords', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-spec-'));
  const said: string[] = [];
  const ledger = new Ledger(ledgerFile(folder));
  const context = {
    dataFolder: folder,
    binariesFolder: folder,
    durable: true,
    ledger,
    say: (line: string) => void said.push(line),
  };
  const env = { MONGODB_URI: 'mongodb://user:secret@127.0.0.1/latchkey', REDIS_URL: 'redis://:secret@127.0.0.1' };
  await startStores(context, env);
  await ledger.close();
  rmSync(folder, { recursive: true });
  expect(said).toEqual(['Redis: the one that REDIS_URL names', 'MongoDB: the one that MONGODB_URI names']);
});
