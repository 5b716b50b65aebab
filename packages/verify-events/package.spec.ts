/** The package as it is published: only its own files, on a machine that has no checkout of Latchkey. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

interface Case {
  readonly exit: number;
  readonly events: readonly string[];
}

/** Of a vector that needs no option but --events. */
const PLAIN_MEMBERS: readonly string[] = ['name', 'exit', 'events', 'faults'];

const source = fileURLToPath(new URL('.', import.meta.url));
const vectors = fileURLToPath(new URL('../../docs/event-log-format/vectors/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'latchkey-verify-package-'));
const run = (program: string, ...args: string[]): string =>
  execFileSync(program, args, { cwd: folder, encoding: 'utf8' });

beforeAll(() => {
  // npm builds it first (`prepack`)
  const archive = run('npm', 'pack', '--silent', '--pack-destination', folder, source).trim();
  run('tar', 'xzf', archive);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the published package', () => {
  it('contains its bundle and needs no other package', () => {
    const manifest = JSON.parse(readFileSync(join(folder, 'package/package.json'), 'utf8')) as Record<string, unknown>;
    expect(manifest['dependencies']).toBeUndefined();
    expect(readFileSync(join(folder, 'package/dist/latchkey-verify.mjs'), 'utf8')).not.toContain(source);
  });

  it('verifies exports outside of any checkout', () => {
    const cases = JSON.parse(readFileSync(join(vectors, 'expected.json'), 'utf8')) as readonly Case[];
    const isPlain = (vector: Case): boolean => Object.keys(vector).every((key) => PLAIN_MEMBERS.includes(key));
    const chosen = [0, 1].map((exit) => cases.find((vector) => vector.exit === exit && isPlain(vector))!);
    for (const { exit, events } of chosen) {
      const files = events.flatMap((file) => ['--events', join(vectors, file)]);
      expect(spawnSync(process.execPath, ['package/bin.mjs', ...files], { cwd: folder }).status).toBe(exit);
    }
  });
});
