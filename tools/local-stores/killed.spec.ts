import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ledgerFile } from './index.ts';
import { clearLeftovers, Ledger } from './ledger.ts';
import { tryLock, waitForLock } from './lock.ts';
import { holdsWithin, identify, isRunning, startServer } from './processes.ts';
import { temporary } from './test-support/temporary.ts';
import type { Temporary } from './test-support/temporary.ts';

describe('processes that a killed run left behind', () => {
  let place: Temporary;
  const children: ChildProcess[] = [];

  beforeEach(() => {
    place = temporary();
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await place.remove();
  });

  /** Another process of this project's; it has done its work when it prints something. */
  async function another(script: string): Promise<ChildProcess> {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    return child;
  }
  const url = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href);
  const kill = async (child: ChildProcess): Promise<void> => {
    const closed = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await closed;
  };

  async function anotherRun(): Promise<ChildProcess> {
    mkdirSync(join(place.folder, 'data'));
    return another(`
      import { Ledger } from ${url('ledger.ts')};
      import { startServer } from ${url('processes.ts')};
      const ledger = new Ledger(${JSON.stringify(ledgerFile(place.folder))});
      ledger.addEphemeral(${JSON.stringify(join(place.folder, 'data'))});
      for (const name of ['first', 'second']) {
        const file = process.execPath, args = ['-e', 'setInterval(() => {}, 1000)'];
        ledger.add(await startServer({ name, file, args, logFile: ${JSON.stringify(join(place.folder, 'log'))} }), 'SIGTERM');
      }
      console.log('started');
      setInterval(() => {}, 1000);`);
  }
  const pids = (): number[] =>
    (JSON.parse(readFileSync(ledgerFile(place.folder), 'utf8')) as { processes: { pid: number }[] }).processes.map(
      ({ pid }) => pid,
    );

  it('are ended by the next run, together with their data', async () => {
    const run = await anotherRun();
    const left = pids().map((pid) => identify(pid));
    expect(left).toHaveLength(2);
    await kill(run);
    expect(left.every((process) => process && isRunning(process))).toBe(true);
    expect(await clearLeftovers(ledgerFile(place.folder), (line) => place.said.push(line))).toBeNull();
    expect(place.said.join()).toContain('first, second');
    expect(left.some((process) => process && isRunning(process))).toBe(false);
    expect(existsSync(join(place.folder, 'data'))).toBe(false);
    expect(existsSync(ledgerFile(place.folder))).toBe(false);
  });

  it('are not touched while the run is alive', async () => {
    const run = await anotherRun();
    expect((await clearLeftovers(ledgerFile(place.folder), () => undefined))?.pid).toBe(run.pid);
    expect(pids().every((pid) => identify(pid) !== null)).toBe(true);
    await kill(run);
    await clearLeftovers(ledgerFile(place.folder), () => undefined);
  });

  it('are empty if the ledger is truncated or missing', async () => {
    expect(await clearLeftovers(ledgerFile(place.folder), () => undefined)).toBeNull();
    writeFileSync(ledgerFile(place.folder), '{"owner":');
    expect(await clearLeftovers(ledgerFile(place.folder), () => undefined)).toBeNull();
  });

  it('are ended immediately if they start during the shutdown', async () => {
    const ledger = new Ledger(ledgerFile(place.folder));
    await ledger.close();
    const args = ['-e', 'setInterval(() => {}, 1000)'];
    const late = await startServer({ name: 'late', file: process.execPath, args, logFile: join(place.folder, 'log') });
    expect(() => ledger.add(late, 'SIGKILL')).toThrow('interrupted');
    expect(await holdsWithin(5_000, () => !isRunning(late.identity))).toBe(true);
  });

  it('hold no lock: it ends with its holder', async () => {
    const name = `spec ${place.folder}`;
    const holder = await another(`
      import { tryLock } from ${url('lock.ts')};
      globalThis.lock = await tryLock(${JSON.stringify(name)});
      console.log('locked');
      setInterval(() => {}, 1000);`);
    expect(await tryLock(name)).toBe(holder.pid);
    const waitedFor: number[] = [];
    const waiting = waitForLock(name, (pid) => waitedFor.push(pid));
    expect(await holdsWithin(5_000, () => waitedFor.length === 1)).toBe(true);
    await kill(holder);
    const lock = await waiting;
    expect(waitedFor).toEqual([holder.pid]);
    expect(await tryLock(name)).toBe(process.pid);
    lock.release();
    const again = await tryLock(name);
    expect(again).toEqual({ release: expect.any(Function) });
    if (typeof again !== 'number') again.release();
  });
});
