import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A process of this machine, told apart from a later one that was given the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** opaque: when it was started, as the system tells */
  readonly startedAt: string;
}

/** A server that was started here. */
export interface StartedProcess {
  readonly name: string;
  readonly identity: ProcessIdentity;
  readonly child: ChildProcess;
  /** resolves when it has ended, with what to tell about it */
  readonly ended: Promise<string>;
}

/** A server did not come up or a tool failed; the message is for people. */
export class StartError extends Error {}

/**
 * Identifies a running process.
 * @param pid its number
 * @returns its identity, or null if it does not run
 */
export function identify(pid: number): ProcessIdentity | null {
  if (process.platform !== 'linux') {
    const startedAt = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();
    return startedAt === '' ? null : { pid, startedAt };
  }
  try {
    // the name, in brackets, may hold anything; what follows it starts with field 3, the state; 22 is the start time
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    if (fields[0] === 'Z') return null; // ended, only not yet waited for
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return { pid, startedAt: `${boot} ${fields[19] ?? ''}` };
  } catch {
    return null;
  }
}

/** True while exactly this process runs. */
export function isRunning(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startedAt === identity.startedAt;
}

/**
 * Ends a process: by `signal`, and by SIGKILL if it has not ended in time.
 * @param identity which; nothing happens if it does not run any more
 * @param signal how its kind is asked to end
 * @param patienceMs how long it may take
 */
export async function endProcess(identity: ProcessIdentity, signal: NodeJS.Signals, patienceMs: number): Promise<void> {
  if (!isRunning(identity)) return;
  process.kill(identity.pid, signal);
  if (await holdsWithin(patienceMs, () => !isRunning(identity))) return;
  process.kill(identity.pid, 'SIGKILL');
  await holdsWithin(5_000, () => !isRunning(identity));
}

/**
 * Awaits a condition.
 * @param ms for how long at most
 * @param condition asked again and again; what it throws counts as false
 * @returns whether it came to hold
 */
export async function holdsWithin(ms: number, condition: () => boolean | Promise<boolean>): Promise<boolean> {
  for (const end = Date.now() + ms; ;) {
    try {
      if (await condition()) return true;
    } catch {
      // not yet
    }
    if (Date.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

/** How to start a server. */
export interface ServerCommand {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly logFile: string;
  readonly env?: NodeJS.ProcessEnv;
  /** its standard input: a pipe ends with this process, whatever ends that */
  readonly stdin?: 'ignore' | 'pipe';
  readonly stdout?: 'pipe';
}

/**
 * Starts a server in a process group of its own: Ctrl-C in the terminal must end the service first, then its stores.
 * @param command what to run
 * @returns the running process
 * @throws StartError if it cannot be run at all
 */
export async function startServer(command: ServerCommand): Promise<StartedProcess> {
  const log = openSync(command.logFile, 'a', 0o600);
  const child = spawn(command.file, command.args, {
    detached: true,
    stdio: [command.stdin ?? 'ignore', command.stdout ?? log, log],
    ...(command.env ? { env: command.env } : {}),
  });
  closeSync(log);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code ?? '?'}` : `signal ${signal}`));
  });
  if (child.pid === undefined) throw new StartError(`${command.name} cannot be started: ${await ended}`);
  const identity = identify(child.pid);
  if (!identity) throw new StartError(`${command.name} ended at once (${await ended})${tailOf(command.logFile)}`);
  return { name: command.name, identity, child, ended };
}

/**
 * Waits until a server answers.
 * @param server the started process
 * @param logFile shown when it does not come up
 * @param answers whether it does; what it throws counts as no
 * @param ms for how long at most
 * @throws StartError with the end of its log if it ended or did not answer in time
 */
export async function awaitAnswer(
  server: StartedProcess,
  logFile: string,
  answers: () => boolean | Promise<boolean>,
  ms = 30_000,
): Promise<void> {
  const up = await holdsWithin(ms, async () => !isRunning(server.identity) || (await answers()));
  if (up && isRunning(server.identity)) return;
  const what = isRunning(server.identity) ? `does not answer within ${ms / 1000} s` : `ended (${await server.ended})`;
  await endProcess(server.identity, 'SIGKILL', 0);
  throw new StartError(`${server.name} ${what}${tailOf(logFile)}`);
}

/** The last lines of a log, ready to be put behind a message. */
export function tailOf(file: string, lines = 8): string {
  if (!existsSync(file)) return '';
  const text = readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines);
  return `; the end of ${file}:\n${text.map((line) => `    ${line}`).join('\n')}`;
}

/** Where a program lies on PATH, or null. */
export function onPath(program: string): string | null {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const file = join(folder, program);
    if (folder !== '' && statSync(file, { throwIfNoEntry: false })?.isFile()) return file;
  }
  return null;
}
