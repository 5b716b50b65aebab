// After each change of the dependencies: node tools/fix-lock.ts
// Puts back into package-lock.json what npm left out of it (why: lock/platform-entries.ts), each package with its
// checksum.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { without, withoutIntegrity } from './lock/integrity.ts';
import { complete } from './lock/platform-entries.ts';
import type { Lock } from './lock/platform-entries.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const file = fileURLToPath(new URL('../package-lock.json', import.meta.url));
const read = (): Lock => JSON.parse(readFileSync(file, 'utf8')) as Lock;
const write = (lock: Lock): void => writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);

/** npm asks the registry for whatever the lock lacks, and notes the checksum. */
function npmCompletes(): void {
  const args = ['install', '--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund'];
  const { status } = spawnSync('npm', args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error('npm could not complete package-lock.json');
}

const bare = withoutIntegrity(read());
if (bare.length > 0) {
  write(without(read(), bare));
  npmCompletes();
}
const { lock, added, unknown } = complete(read());
if (added.length > 0) write(lock);
process.stdout.write(
  `package-lock.json: ${bare.length} checksums looked up, ${added.length} platform packages added\n`,
);
if (unknown.length > 0) {
  process.stderr.write(`missing, and their names tell no platform: ${unknown.join(', ')}\n`);
  process.exitCode = 1;
}
const left = withoutIntegrity(lock);
if (left.length > 0) {
  process.stderr.write(`without a checksum, which the registry did not tell: ${left.join(', ')}\n`);
  process.exitCode = 1;
}
