import { Inject, Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { LogEvent, ChainName } from '#chain';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { Clock, DomainError } from '#kernel';
import { Conditions, LOGGER, Metrics } from '#observability';
import type { Logger } from '#observability';
import { compactTombstones } from './compaction.ts';
import { ChainMarks } from './chain-marks.ts';
import type { Tombstone } from './tombstone.ts';
import { TombstoneWriter } from './tombstone-writer.ts';
import { endsSomething, tombstonesOf } from './tombstones-of.ts';

/** The time limit for the disk. The wait for the lease runs at the same time. */
const WRITE_LIMIT_MS = 2_000;
const RETRY_MS = 1_000;
const RETRY_AFTER_SECONDS = 10;
const MAX_KNOWN_POSITIONS = 50_000;
const UNWRITTEN = 'tombstones-unwritten';

/**
 * Records outside MongoDB what was ended, before the request is answered, so that a restored backup cannot revive it
 * unnoticed. Does nothing if LATCHKEY_TOMBSTONE_DIR is not set.
 */
@Injectable()
export class TombstoneLog implements BeforeApplicationShutdown {
  readonly folder: string | undefined;
  /** The positions of all chains, read from the files at start and updated with each write. */
  marks = new ChainMarks();
  private readonly writer: TombstoneWriter | undefined;
  private readonly unwritten = new Set<readonly Tombstone[]>();
  private readonly positions = new LRUCache<string, true>({ max: MAX_KNOWN_POSITIONS });
  private retry: NodeJS.Timeout | undefined;

  constructor(
    @Inject(CONFIG) config: Config,
    private readonly clock: Clock,
    private readonly metrics: Metrics,
    private readonly conditions: Conditions,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.folder = config.tombstoneFolder;
    const today = (): string => clock.now().toISOString().slice(0, 10);
    this.writer = this.folder === undefined ? undefined : new TombstoneWriter(this.folder, today);
  }

  /**
   * Call after the commit of these events and before the answer.
   *
   * @throws DomainError `tombstones-unwritten`: the change is made, but its tombstone is not confirmed; writing
   * continues
   */
  async record(events: readonly LogEvent[]): Promise<void> {
    if (this.writer === undefined || !events.some(({ type }) => endsSomething(type))) return;
    await this.write(events.flatMap(tombstonesOf));
  }

  /** @throws DomainError `tombstones-unwritten` */
  async write(tombstones: readonly Tombstone[]): Promise<void> {
    if (this.writer === undefined || tombstones.length === 0) return;
    this.unwritten.add(tombstones);
    this.metrics.tombstonesUnwritten.set(this.unwritten.size);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error('the disk did not confirm the write in time')), WRITE_LIMIT_MS);
    });
    try {
      await Promise.race([this.attempt(tombstones), late]);
    } catch (error) {
      this.report(error);
      throw unconfirmed(error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Whether this process has seen the tombstone of the event at this position. */
  knows(chain: ChainName, seq: number): boolean {
    return this.positions.has(`${chain} ${seq}`);
  }

  /** Notes a tombstone that is in the files. */
  remember(tombstone: Tombstone): void {
    this.positions.set(`${tombstone.chain} ${tombstone.seq}`, true);
  }

  /** Merges the files of past days. @returns the number of replaced files */
  async compact(): Promise<number> {
    return this.folder === undefined ? 0 : compactTombstones(this.folder, this.clock.nowMs());
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearTimeout(this.retry);
    await this.writer?.close().catch(() => undefined);
  }

  private async attempt(tombstones: readonly Tombstone[]): Promise<void> {
    await this.writer?.append(tombstones);
    for (const tombstone of tombstones) {
      this.remember(tombstone);
      this.marks.supersede(tombstone);
      this.marks.add(tombstone);
    }
    this.unwritten.delete(tombstones);
    this.metrics.tombstonesUnwritten.set(this.unwritten.size);
    if (this.unwritten.size === 0) this.conditions.clear(UNWRITTEN);
  }

  private report(error: unknown): void {
    if (this.retry === undefined) this.logger.error({ err: error }, 'cannot write tombstones; retrying');
    this.conditions.set({
      code: UNWRITTEN,
      severity: 'degraded',
      detail:
        'Tombstones of deletions cannot be written. Check the disk and the permissions of LATCHKEY_TOMBSTONE_DIR; the ' +
        'service keeps retrying.',
    });
    this.retry ??= setTimeout(() => void this.retryUnwritten(), RETRY_MS).unref();
  }

  private async retryUnwritten(): Promise<void> {
    const results = await Promise.allSettled([...this.unwritten].map((tombstones) => this.attempt(tombstones)));
    this.retry = undefined;
    if (results.some(({ status }) => status === 'rejected')) {
      this.retry = setTimeout(() => void this.retryUnwritten(), RETRY_MS).unref();
    } else {
      this.logger.info('tombstones are written again');
    }
  }
}

function unconfirmed(cause: unknown): DomainError {
  return new DomainError(
    'tombstones-unwritten',
    'The change was made and is in force, but its record outside the database is not confirmed yet. Do not repeat it; ' +
      'ask an operator to check /readyz.',
    {
      cause,
      retryAfterSeconds: RETRY_AFTER_SECONDS,
      privateDetail: cause instanceof Error ? cause.message : 'unknown',
    },
  );
}
