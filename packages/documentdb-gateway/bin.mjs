#!/usr/bin/env node
// The bundle if it was built, as in the published package; otherwise the source (Node 24).
import { existsSync } from 'node:fs';

const bundle = new URL('./dist/documentdb-gateway.mjs', import.meta.url);
if (existsSync(bundle)) {
  await import(bundle.href);
} else if (process.features.typescript) {
  await import('./main.ts');
} else {
  process.stderr.write('documentdb-gateway: not built: run "npm run build", or use Node 24\n');
  process.exitCode = 2;
}
