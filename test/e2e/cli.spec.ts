import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { commands } from '../../apps/api/src/cli/commands.ts';
import { PROGRAM, latchkey } from '../support/latchkey.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'operating.md'), 'utf8');

describe('the built program', () => {
  it('lists every command for --help', async () => {
    const { status, stdout } = await latchkey(['--help']);
    expect(status).toBe(0);
    for (const { name } of commands) expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
  });

  it('has every command in docs/operating.md', () => {
    for (const { name } of commands) expect(page).toMatch(new RegExp(`^\\| \`${name}\\b[^|]*\\|`, 'm'));
  });

  it('exits 64 for an unknown command, and starts nothing', async () => {
    const { status, stdout, stderr } = await latchkey(['serv']);
    expect({ status, stdout }).toEqual({ status: 64, stdout: '' });
    expect(stderr).toContain('there is no such command');
  });

  it('exits 78 and lists the faults when the configuration is faulty', async () => {
    const { status, stderr } = await latchkey(['serve'], { PORT: 'x' });
    expect(status).toBe(78);
    expect(stderr).toContain('  - MONGODB_URI is required\n');
    expect(stderr).toContain('  - PORT must be a whole number');
    expect(stderr).toContain('docs/operating.md');
  });

  it('can be executed directly: its first line names the interpreter', () => {
    expect(readFileSync(PROGRAM, 'utf8').split('\n')[0]).toBe('#!/usr/bin/env -S node --enable-source-maps');
  });

  it('says in one sentence that the port is in use and how to take another one, and exits 1', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const stores = { MONGODB_URI: 'mongodb://127.0.0.1:1/none', REDIS_URL: 'redis://127.0.0.1:1' };
    const { status, stdout, stderr } = await latchkey(['serve'], { ...stores, PORT: String(port) });
    other.close();
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: `Port ${port} of 127.0.0.1 is in use. Choose another one, for example: PORT=3378 npm start\n`,
    });
    expect(stdout).toBe(''); // found before anything else is done
  });
});
