// npm run docs: writes docs/openapi.json from the built service, which serves its document without any store.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { rolesPage } from './roles-page.ts';
import type { RolesDocument } from './roles-page.ts';
import { BUNDLE, ensureBuilt } from './service/build.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = join(root, 'docs', 'openapi.json');
const say = (line: string): void => void process.stderr.write(`· ${line}\n`);

/** Where nothing listens: the service starts all the same, and says so at /readyz. */
const NOWHERE = '127.0.0.1:9';

function startService(): ChildProcess {
  return spawn(process.execPath, [join(root, BUNDLE)], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      PORT: '0',
      PUBLIC_URL: 'https://latchkey.example',
      MONGODB_URI: `mongodb://${NOWHERE}/none`,
      REDIS_URL: `redis://${NOWHERE}`,
      LATCHKEY_ROLE: 'http',
    },
  });
}

/** The address that it says it listens at. @throws Error when it ends before */
async function listening(service: ChildProcess): Promise<string> {
  if (service.stdout === null) throw new Error('the service has no output');
  for await (const line of createInterface({ input: service.stdout })) {
    const entry = (line.startsWith('{') ? JSON.parse(line) : {}) as { msg?: string; url?: string };
    if (entry.msg === 'listening' && entry.url !== undefined) return entry.url;
  }
  throw new Error('the service ended before it listened');
}

await ensureBuilt(root, say);
const service = startService();
try {
  const response = await fetch(`${await listening(service)}/openapi.json`);
  if (!response.ok) throw new Error(`/openapi.json answers ${response.status}`);
  mkdirSync(dirname(target), { recursive: true });
  const document = (await response.json()) as RolesDocument;
  writeFileSync(target, `${JSON.stringify(document, null, 2)}\n`);
  writeFileSync(join(root, 'docs', 'roles.md'), rolesPage(document));
  say('wrote docs/openapi.json');
} finally {
  service.kill('SIGKILL');
}
