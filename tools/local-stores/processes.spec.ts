import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  StartError,
  awaitAnswer,
  endProcess,
  holdsWithin,
  identify,
  isRunning,
  onPath,
  startServer,
} from './processes.ts';
import type { StartedProcess } from './processes.ts';
import { temporary } from './test-support/temporary.ts';
import type { Temporary } from './test-support/temporary.ts';

describe('processes', () => {
  let place: Temporary;
  const started: StartedProcess[] = [];

  beforeEach(() => {
    place = temporary();
  });
  afterEach(async () => {
    for (const { identity } of started.splice(0)) await endProcess(identity, 'SIGKILL', 0);
    await place.remove();
  });

  const log = (): string => join(place.folder, 'a.log');
  async function run(script: string): Promise<StartedProcess> {
    const server = await startServer({ name: 'it', file: process.execPath, args: ['-e', script], logFile: log() });
    started.push(server);
    return server;
  }

  it('distinguishes a process from a later one with the same id', async () => {
    const { identity } = await run('setInterval(() => {}, 1000)');
    expect(isRunning(identity)).toBe(true);
    expect(isRunning({ ...identity, startedAt: 'earlier' })).toBe(false);
    await endProcess({ ...identity, startedAt: 'earlier' }, 'SIGKILL', 0);
    expect(isRunning(identity)).toBe(true);
    await endProcess(identity, 'SIGTERM', 5_000);
    expect(isRunning(identity)).toBe(false);
    expect(identify(identity.pid)).toBeNull();
  });

  it('ends a process that ignores signals', async () => {
    const server = await run(`process.on('SIGTERM', () => {}); console.log('deaf'); setInterval(() => {}, 1000)`);
    await awaitAnswer(server, log(), () => tail(log()).includes('deaf'));
    await endProcess(server.identity, 'SIGTERM', 100);
    expect(isRunning(server.identity)).toBe(false);
    expect(await server.ended).toBe('signal SIGKILL');
  });

  it('shows the end of the log of a server that failed to start', async () => {
    const server = await run(`console.error('no such option'); process.exit(3)`);
    const failure = awaitAnswer(server, log(), () => false);
    await expect(failure).rejects.toThrow(StartError);
    await expect(failure).rejects.toThrow(/^it ended \(exit code 3\); the end of .*a\.log:\n {4}no such option/);
  });

  it('gives up on a server that does not answer, and ends it', async () => {
    const server = await run('setInterval(() => {}, 1000)');
    await expect(awaitAnswer(server, log(), () => false, 50)).rejects.toThrow('it does not answer within 0.05 s');
    expect(isRunning(server.identity)).toBe(false);
  });

  it('reports a missing program', async () => {
    const nothing = startServer({ name: 'it', file: join(place.folder, 'none'), args: [], logFile: log() });
    await expect(nothing).rejects.toThrow(/^it cannot be started: .*ENOENT/);
  });

  it('finds programs on PATH', () => {
    expect(onPath('sh')).toMatch(/\/sh$/);
    expect(onPath('no-such-program-anywhere')).toBeNull();
  });

  it('treats a condition that throws as false', async () => {
    let asked = 0;
    const condition = (): boolean => {
      if (++asked < 3) throw new Error('not yet');
      return true;
    };
    expect(await holdsWithin(5_000, condition)).toBe(true);
    expect(await holdsWithin(20, () => false)).toBe(false);
  });
});

function tail(file: string): string {
  return readFileSync(file, 'utf8');
}
