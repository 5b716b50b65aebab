import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Ledger } from '../local-stores/ledger.ts';
import { StartError, identify } from '../local-stores/processes.ts';
import { noticeFor } from './first-admin.ts';
import type { FirstAdmin } from './first-admin.ts';

/** How to run the service. */
export interface ServiceCommand {
  readonly root: string;
  /** the built service */
  readonly file: string;
  readonly env: NodeJS.ProcessEnv;
  readonly admin: FirstAdmin;
  readonly ledger: Ledger;
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
  createInterface({ input: child.stdout }).on('line', (line) => {
    process.stdout.write(`${line}\n`);
    const notice = noticeFor(line, admin);
    if (notice !== null) process.stdout.write(`${notice}\n`);
  });
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, forward);
  try {
    return await ended;
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, forward);
  }
}
