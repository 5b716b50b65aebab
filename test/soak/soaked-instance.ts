import { wrongClock } from '../support/clock.ts';
import { Service } from '../support/service.ts';
import type { TestDatabase } from '../support/database.ts';
import type { Random } from '../support/event-log/mutations.ts';
import type { Fault } from './lane.ts';

const DAY_MS = 24 * 3_600_000;
/** Log lines at these levels are reported at the end. */
const SERIOUS: readonly unknown[] = ['error', 'fatal'];
/** The unguessable part of a token or secret, which no line may contain. */
const SECRET = /lk_(?:ak|at|cs|rs|ss)_[0-9A-Za-z]{16,}/;

/** One instance, whose process is stopped and started. */
export class SoakedInstance {
  /** Whether requests should go to another instance; some are sent here anyway. */
  away = false;
  private readonly service: Service;
  private readonly env: Record<string, string>;
  private linesRead = 0;
  private stderrRead = 0;
  private readonly serious: string[] = [];

  /** @param violations collects the violations of this instance */
  constructor(
    readonly name: string,
    database: TestDatabase,
    env: Readonly<Record<string, string>>,
    private readonly violations: string[],
  ) {
    this.env = { ...env };
    // the stores may be unavailable when it starts
    this.service = new Service(database, { database, env: this.env, awaitReady: false });
  }

  get url(): string {
    return this.service.url;
  }

  /** Starts it with a clock that is wrong by this much, from the start or from when it is set. */
  async start(byMs = 0, fromStart = false): Promise<void> {
    Object.assign(this.env, wrongClock({ byMs, fromStart }));
    await this.service.start();
    this.away = false;
  }

  /** Waits until it can serve. */
  ready(): Promise<void> {
    return this.service.ready();
  }

  /** Shuts it down: its exit code must be 0. */
  async stop(signal: NodeJS.Signals): Promise<void> {
    this.mustRun();
    const code = await this.service.stop(signal);
    if (code !== 0)
      this.violations.push(`${this.name} ended with ${code ?? 'no exit code'} after ${signal}: ${this.lastLines()}`);
  }

  /** Ends it in any state. */
  async discard(): Promise<void> {
    await this.service.stop('SIGKILL');
  }

  /** The faults of an instance. */
  faults(random: Random): Fault[] {
    // near, and so far that a retention of a day would drop everything
    const someOffset = (): number =>
      (random(2) === 0 ? 1 : -1) * (60_000 + random(random(2) === 0 ? 3_600_000 : 3 * DAY_MS));
    return [
      { name: 'killed', begin: () => this.crash(), end: () => this.start(someOffset()) },
      { name: 'SIGTERM', begin: () => this.terminate(), end: () => this.start(someOffset()) },
      {
        name: 'stopped (SIGSTOP)',
        begin: () => this.signal('SIGSTOP', true),
        end: () => this.signal('SIGCONT', false),
      },
      { name: 'clock set wrong', begin: () => this.signal('SIGUSR2', false), end: () => this.signal('SIGUSR2', false) },
      {
        name: 'killed, back with a wrong clock',
        begin: async () => {
          await this.crash();
          await this.start(someOffset(), true);
        },
        end: () => this.signal('SIGUSR2', false),
      },
    ];
  }

  /** Checks its output since the last call. */
  look(): void {
    const { lines, stderr } = this.service;
    for (; this.linesRead < lines.length; this.linesRead += 1) {
      const line = lines[this.linesRead]!;
      if (SECRET.test(line))
        this.violations.push(`${this.name} logged a secret: ${line.replaceAll(/[0-9A-Za-z]{8,}/g, '…')}`);
      const { level } = (line.startsWith('{') ? JSON.parse(line) : {}) as { level?: string };
      if (SERIOUS.includes(level)) this.serious.push(line);
    }
    const written = stderr.slice(this.stderrRead);
    this.stderrRead = stderr.length;
    if (written !== '') this.violations.push(`${this.name} wrote to its standard error: ${written.slice(0, 2_000)}`);
  }

  /** Its error log lines. */
  get errors(): readonly string[] {
    return this.serious;
  }

  private async crash(): Promise<void> {
    this.mustRun();
    this.away = true;
    await this.service.kill('SIGKILL');
  }

  private async terminate(): Promise<void> {
    const ended = this.stop('SIGTERM');
    this.away = true;
    await ended;
  }

  private async signal(signal: NodeJS.Signals, away: boolean): Promise<void> {
    this.mustRun();
    this.away = away;
    await this.service.kill(signal);
  }

  /** @throws Error when it has ended by itself */
  private mustRun(): void {
    try {
      process.kill(this.service.pid, 0);
    } catch {
      throw new Error(`${this.name} has ended by itself: ${this.lastLines()}`);
    }
  }

  private lastLines(): string {
    return [...this.service.lines.slice(-15), this.service.stderr.slice(-2_000)].join('\n');
  }
}
