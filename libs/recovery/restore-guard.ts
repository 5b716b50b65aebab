import { Inject, Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { MongoStore, isStoreUnavailable } from '#mongo';
import { Conditions, LOGGER } from '#observability';
import type { Logger } from '#observability';
import { RestoreCheck, isSound } from './restore-check.ts';
import type { RestoreFindings } from './restore-check.ts';
import { TombstoneUpkeep } from './tombstones/tombstone-upkeep.ts';

const CODES = ['tombstones-unchecked', 'tombstones-unreadable', 'restored-behind'] as const;
const POLL_MS = 200;
const BEHIND_RECHECK_MS = 3_000;
const RECHECK_MS = 30_000;

/**
 * Blocks the instance until the store was compared with the tombstones, and while the store is older than they are.
 * Only sets conditions; the app refuses requests while one of them blocks.
 */
@Injectable()
export class RestoreGuard implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private sound = false;

  constructor(
    private readonly store: MongoStore,
    private readonly check: RestoreCheck,
    private readonly upkeep: TombstoneUpkeep,
    private readonly conditions: Conditions,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    if (!this.check.isOn) return;
    this.set(
      'tombstones-unchecked',
      'The tombstones have not been compared with the database yet. Wait until this is done.',
    );
    this.schedule(0);
  }

  beforeApplicationShutdown(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private schedule(afterMs: number): void {
    if (!this.stopped) this.timer = setTimeout(() => void this.checkAndSchedule(), afterMs).unref();
  }

  private async checkAndSchedule(): Promise<void> {
    if (!this.store.ready) {
      this.schedule(POLL_MS);
      return;
    }
    try {
      if (!this.sound || !(await this.check.marksHold())) await this.compare();
      if (this.sound) await this.upkeep.run();
    } catch (error) {
      if (isStoreUnavailable(error))
        this.logger.debug({ err: error }, 'cannot compare the tombstones: the store is unavailable');
      else this.logger.error({ err: error }, 'cannot compare the tombstones with the database');
    }
    this.schedule(this.sound ? RECHECK_MS : BEHIND_RECHECK_MS);
  }

  private async compare(): Promise<void> {
    const findings = await this.check.run();
    this.sound = isSound(findings);
    this.upkeep.beginAt(findings.latestAt);
    this.report(findings);
  }

  private report({ lost, resurrections, unreadable }: RestoreFindings): void {
    const codes = new Map<string, string>();
    const [line] = unreadable;
    if (line !== undefined) {
      codes.set(
        'tombstones-unreadable',
        `Line ${line.line} of ${line.file} is not a valid tombstone: ${line.reason}. Correct the line or, if that is ` +
          `impossible, remove it. Unreadable lines: ${unreadable.length}.`,
      );
    }
    if (lost.length + resurrections.length > 0) {
      codes.set(
        'restored-behind',
        `The database is older than the tombstones: ${lost.length} event logs end too early, ${resurrections.length} ` +
          'ended credentials, secrets, tokens, users, sessions or API keys are live again. Run ' +
          '`latchkey reconcile --dry-run`, then `latchkey reconcile`.',
      );
    }
    const before = new Set(this.conditions.list().map(({ code }) => code));
    for (const code of CODES) {
      const detail = codes.get(code);
      if (detail === undefined) this.conditions.clear(code);
      else this.set(code, detail);
      if (detail !== undefined && !before.has(code)) this.logger.error({ code }, detail);
    }
    if (codes.size === 0 && before.has('restored-behind')) this.logger.info('the database agrees with the tombstones');
  }

  private set(code: (typeof CODES)[number], detail: string): void {
    this.conditions.set({ code, severity: 'unavailable', detail });
  }
}
