#!/usr/bin/env node
// The built verifier where there is one (Node 20 and later); else its source, for which Node must strip types (24 and later).
import { existsSync } from 'node:fs';

const built = new URL('../../dist/latchkey-verify.mjs', import.meta.url);
if (existsSync(built)) {
  await import(built.href);
} else if (process.features.typescript) {
  await import('./main.ts');
} else {
  process.stderr.write('latchkey-verify: not built: run "npm run build", or use Node 24\n');
  process.exitCode = 2;
}
