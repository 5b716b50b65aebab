import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';

const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 5_000;
/** Interval at which a starting server is polled, in milliseconds. */
const ASK_EVERY_MS = 2;

/** How to run a server. It announces its address in a line of JSON `{"msg": "listening", "url": …}`. */
export interface ServerCommand {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A server process under measurement. */
export interface Server {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/**
 * Starts a server in production mode and waits until it announces its address.
 *
 * @throws Error with what it wrote, when it ends or takes longer than a minute
 */
export async function startServer({ args, cwd, env }: ServerCommand): Promise<Server> {
  const usual = { PATH: process.env['PATH'] ?? '', NODE_ENV: 'production' };
  const child = spawn(process.execPath, args, { cwd, env: { ...usual, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  void ended.then(() => process.off('exit', kill));
  let written = '';
  child.stderr.on('data', (data: Buffer) => (written = (written + data.toString()).slice(-4_000)));
  const url = await new Promise<string>((resolve, reject) => {
    const fail = (): void => reject(new Error(`${args.join(' ')} did not start: ${written}`));
    const timer = setTimeout(fail, START_LIMIT_MS);
    child.once('error', reject);
    child.once('close', fail);
    createInterface({ input: child.stdout }).on('line', (line) => {
      written = `${written}${line}\n`.slice(-4_000);
      const listening = urlOf(line);
      if (listening === undefined) return;
      clearTimeout(timer);
      child.off('close', fail);
      resolve(listening);
    });
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGINT');
    const late = setTimeout(kill, STOP_LIMIT_MS);
    await ended;
    clearTimeout(late);
  };
  return { url, pid: child.pid ?? 0, stop };
}

function urlOf(line: string): string | undefined {
  if (!line.startsWith('{')) return undefined;
  const { msg, url } = JSON.parse(line) as { msg?: unknown; url?: unknown };
  return msg === 'listening' && typeof url === 'string' ? url.replace(/\/$/, '') : undefined;
}

/** Polls a path every two milliseconds until it answers as expected. @throws Error after a minute */
export async function answers(url: string, isWanted: (status: number) => boolean): Promise<void> {
  const end = performance.now() + START_LIMIT_MS;
  while (performance.now() < end) {
    const status = await fetch(url, { redirect: 'manual' }).then(
      async (response) => {
        await response.arrayBuffer();
        return response.status;
      },
      () => undefined,
    );
    if (status !== undefined && isWanted(status)) return;
    await pause(ASK_EVERY_MS);
  }
  throw new Error(`${url} does not answer`);
}
