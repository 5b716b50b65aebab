import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { commands } from '../../apps/api/src/cli/commands.ts';

const root = join(import.meta.dirname, '..', '..');
const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { bin: { latchkey: string } };

function latchkey(args: readonly string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, bin.latchkey), ...args], {
    env: { PATH: process.env['PATH'], ...env },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('the built program', () => {
  it('lists every command for --help', () => {
    const { status, stdout } = latchkey(['--help']);
    expect(status).toBe(0);
    for (const { name } of commands) expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
  });

  it('has every command in docs/operating.md', () => {
    const page = readFileSync(join(root, 'docs', 'operating.md'), 'utf8');
    for (const { name } of commands) expect(page).toMatch(new RegExp(`^\\| \`${name}\\b[^|]*\\|`, 'm'));
  });

  it('exits 64 for an unknown command, and starts nothing', () => {
    const { status, stdout, stderr } = latchkey(['serv']);
    expect({ status, stdout }).toEqual({ status: 64, stdout: '' });
    expect(stderr).toContain('there is no such command');
  });

  it('exits 78 and lists the faults when the configuration is faulty', () => {
    const { status, stderr } = latchkey(['serve'], { PORT: 'x' });
    expect(status).toBe(78);
    expect(stderr).toContain('  - MONGODB_URI is required\n');
    expect(stderr).toContain('  - PORT must be a whole number');
  });

  it('names its interpreter in the first line, so that it can be called by its name', () => {
    expect(readFileSync(join(root, bin.latchkey), 'utf8').split('\n')[0]).toBe(
      '#!/usr/bin/env -S node --enable-source-maps',
    );
  });
});
