import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { TestDatabase } from './database.ts';

/** The first platform-admin of every tested service. */
export const ADMIN = { username: 'admin', password: 'correct horse battery staple' } as const;

/** The built service: the tests run what is shipped. */
export const BUNDLE = join(import.meta.dirname, '..', '..', 'dist', 'latchkey.mjs');
/** The machine may be busy with other suites. */
const START_LIMIT_MS = 120_000;
/** Far more than the service takes on a machine that is busy: it gives up by itself after nine seconds. */
const STOP_LIMIT_MS = 60_000;
const POLL_MS = 20;

export interface ServiceOptions {
  /** The database to use; default: a new one. Its creator drops it. */
  readonly database?: TestDatabase;
  /** Variables that differ from the defaults; undefined unsets one. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Additional variables of one of several instances, by its number. */
  readonly envOf?: (index: number) => Readonly<Record<string, string | undefined>>;
  /** Whether to wait until it is ready; false if a store is unavailable on purpose. */
  readonly awaitReady?: boolean;
  /** Whether to migrate the database first; false in tests of migrations. */
  readonly migrate?: boolean;
}

/** One line that the service logged. */
export interface LogLine {
  readonly level?: string | number;
  readonly msg?: string;
  readonly [member: string]: unknown;
}

/** One process of the built service, with its output. */
export class Service {
  /** Its URL, without a trailing slash; a new one after each start. */
  url = '';
  /** Every line of its standard output, across all starts. */
  readonly lines: string[] = [];
  /** All of its standard error, across all starts. */
  stderr = '';
  private child: ChildProcess | undefined;
  private ended: Promise<number | null> = Promise.resolve(null);
  private readonly watchers = new Set<() => void>();

  constructor(
    readonly database: TestDatabase,
    private readonly options: ServiceOptions,
  ) {}

  get pid(): number {
    const pid = this.child?.pid;
    if (pid === undefined) throw new Error('the service is not running');
    return pid;
  }

  /** Its log lines that are JSON; `lines` has all lines unchanged. */
  get log(): LogLine[] {
    return this.lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as LogLine);
  }

  /** Starts it, again or for the first time, and waits until it listens and (by default) is ready. */
  async start(): Promise<this> {
    if (!existsSync(BUNDLE)) throw new Error('the service is not built: npm run build');
    if (this.options.migrate !== false) await this.database.migrate();
    const from = this.lines.length;
    const child = spawn(process.execPath, ['--enable-source-maps', BUNDLE], {
      env: this.environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    const kill = (): void => void child.kill('SIGKILL');
    process.once('exit', kill);
    this.ended = new Promise((resolve) => {
      child.once('close', (code) => {
        process.off('exit', kill);
        this.child = undefined;
        resolve(code);
        this.wake();
      });
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.lines.push(line);
      this.wake();
    });
    child.stderr.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    const listening = await this.logged((line) => line.msg === 'listening', from);
    this.url = String(listening['url']);
    if (this.options.awaitReady !== false) await this.ready();
    return this;
  }

  /** Waits for the first matching line from number `from` on. @throws Error if the service ends before */
  async logged(fits: (line: LogLine) => boolean, from = 0): Promise<LogLine> {
    const deadline = Date.now() + START_LIMIT_MS;
    for (let next = from; ;) {
      for (; next < this.lines.length; next += 1) {
        const text = this.lines[next] ?? '';
        const line = text.startsWith('{') ? (JSON.parse(text) as LogLine) : {};
        if (fits(line)) return line;
      }
      if (this.child === undefined || Date.now() > deadline) throw new Error(this.report('the line was not logged'));
      await this.nextChange(deadline - Date.now());
    }
  }

  /** Waits until `/readyz` answers 200. */
  async ready(): Promise<void> {
    await eventually(async () => {
      if (this.child === undefined) throw new Error(this.report('the service ended'));
      const { status } = await fetch(`${this.url}/readyz`);
      return status === 200;
    }, START_LIMIT_MS).catch((error: unknown) => {
      throw new Error(this.report('the service does not get ready'), { cause: error });
    });
  }

  /** Shuts it down and waits. SIGTERM drains first; Ctrl-C does not. @returns its exit code */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<number | null> {
    const { child } = this;
    if (child === undefined) return this.ended;
    child.kill(signal);
    const late = setTimeout(() => void child.kill('SIGKILL'), STOP_LIMIT_MS);
    const code = await this.ended;
    clearTimeout(late);
    return code;
  }

  /** Shuts it down and drops its database. */
  async discard(): Promise<void> {
    await this.stop();
    await this.database.drop();
  }

  /** Sends a signal; after `SIGKILL`, for a crash, it waits until the process is gone. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    process.kill(this.pid, signal);
    if (signal === 'SIGKILL') await this.ended;
  }

  private environment(): NodeJS.ProcessEnv {
    const usual = {
      PATH: process.env['PATH'],
      HOST: '127.0.0.1',
      PORT: '0',
      PUBLIC_URL: 'https://latchkey.example',
      MONGODB_URI: this.database.uri,
      REDIS_URL: this.database.redisUrl,
      LATCHKEY_ADMIN_USERNAME: ADMIN.username,
      LATCHKEY_ADMIN_PASSWORD: ADMIN.password,
      // tests send wrong secrets on purpose, all from one address
      GUESS_LIMIT_PER_CLIENT: '1000000',
      GUESS_LIMIT_PER_ADDRESS: '1000000',
    };
    return { ...usual, ...this.options.env };
  }

  private wake(): void {
    for (const watcher of this.watchers) watcher();
  }

  private async nextChange(limitMs: number): Promise<void> {
    let wake: () => void = () => undefined;
    const changed = new Promise<void>((resolve) => (wake = resolve));
    this.watchers.add(wake);
    const timer = setTimeout(wake, limitMs);
    await changed;
    clearTimeout(timer);
    this.watchers.delete(wake);
  }

  private report(what: string): string {
    return [`${what}; it wrote:`, ...this.lines.slice(-15), this.stderr.slice(-2000)].join('\n');
  }
}

/** Starts the built service on its own (or the given) database and waits until it is ready. */
export async function startService(options: ServiceOptions = {}): Promise<Service> {
  return new Service(options.database ?? new TestDatabase(), options).start();
}

/** Starts several instances on one database. */
export async function startServices(count: number, options: ServiceOptions = {}): Promise<Service[]> {
  const { database = new TestDatabase() } = options;
  const start = (index: number): Promise<Service> =>
    startService({ ...options, database, env: { ...options.env, ...options.envOf?.(index) } });
  const first = await start(0);
  const others = Array.from({ length: count - 1 }, (_, index) => start(index + 1));
  return [first, ...(await Promise.all(others))];
}

/** Waits until the condition holds; an error counts as false. @throws Error after the time limit */
export async function eventually(holds: () => Promise<boolean> | boolean, limitMs = 60_000): Promise<void> {
  const deadline = Date.now() + limitMs;
  for (let last: unknown; ;) {
    try {
      if (await holds()) return;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) {
      const why = last instanceof Error ? `; the last time: ${last.message}` : '';
      throw new Error(`not within ${limitMs} ms${why}`, { cause: last });
    }
    await pause(POLL_MS);
  }
}
