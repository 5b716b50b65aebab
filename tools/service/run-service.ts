import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import type { Ledger } from '../local-stores/ledger.ts';
import { StartError, identify } from '../local-stores/processes.ts';
import { listeningUrl, noticeFor, readyNotice } from './first-admin.ts';
import type { FirstAdmin } from './first-admin.ts';

const LOOK_MS = 250;

/** How to run the service. */
export interface ServiceCommand {
  readonly root: string;
  /** the built service */
  readonly file: string;
  readonly env: NodeJS.ProcessEnv;
  readonly admin: FirstAdmin;
  readonly ledger: Ledger;
}

/** Asks until the service can serve with all that it needs. @returns false if it ends before */
async function untilReady(url: string, child: ChildProcess): Promise<boolean> {
  while (child.exitCode === null && child.signalCode === null) {
    try {
      const answer = await fetch(`${url}/readyz`);
      if (answer.ok && ((await answer.json()) as { status?: unknown }).status === 'ok') return true;
    } catch {
      // not yet
    }
    await pause(LOOK_MS);
  }
  return false;
}

/**
 * Runs the service until it ends, passing SIGINT and SIGTERM on. What it logs is passed through; the first admin's
 * password and the address are shown when it says so.
 * @returns its exit code; 128 and the signal's number if one ended it
 * @throws StartError if it cannot be run
 */
export async function runService({ root, file, env, admin, ledger }: ServiceCommand): Promise<number> {
  const child = spawn(process.execPath, ['--enable-source-maps', file], {
    cwd: root,
    // in a group of its own: the terminal's Ctrl-C would reach it twice, and a second one means "at once"
    detached: true,
    stdio: ['inherit', 'pipe', 'inherit'],
    env,
  });
  const identity = child.pid === undefined ? null : identify(child.pid);
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', (error) => reject(new StartError(`the service cannot be run: ${error.message}`)));
    child.once('close', (code, signal) =>
      resolve(code ?? 128 + (signal === 'SIGINT' ? 2 : signal === 'SIGTERM' ? 15 : 9)),
    );
  });
  if (identity) ledger.add({ name: 'Latchkey', identity, child, ended: Promise.resolve('') }, 'SIGTERM');
  let wasMade = false;
  createInterface({ input: child.stdout }).on('line', (line) => {
    process.stdout.write(`${line}\n`);
    const notice = noticeFor(line, admin);
    if (notice !== null) process.stdout.write(`${notice}\n`);
    wasMade ||= notice !== null;
    const url = listeningUrl(line);
    // until then the service says in its log, every 30 seconds, what it waits for
    if (url === null) return;
    void untilReady(url, child).then((ready) => {
      if (ready) process.stdout.write(`${readyNotice(url, wasMade)}\n`);
    });
  });
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, forward);
  try {
    return await ended;
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, forward);
  }
}
