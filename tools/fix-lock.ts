// After each change of the dependencies: node tools/fix-lock.ts
// Puts back into package-lock.json what npm left out of it; why it does is told in lock/platform-entries.ts.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { complete } from './lock/platform-entries.ts';
import type { Lock } from './lock/platform-entries.ts';

const file = fileURLToPath(new URL('../package-lock.json', import.meta.url));
const { lock, added, unknown } = complete(JSON.parse(readFileSync(file, 'utf8')) as Lock);
if (added.length > 0) writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(`package-lock.json: ${added.length} platform packages added\n`);
if (unknown.length > 0) {
  process.stderr.write(`missing, and their names tell no platform: ${unknown.join(', ')}\n`);
  process.exitCode = 1;
}
