import { Inject, Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { Clock, DomainError } from '#kernel';
import { Conditions, LOGGER, Metrics } from '#observability';
import type { Logger } from '#observability';
import type { LogEvent } from '../chain/chain.ts';
import { compactTombstones } from './compaction.ts';
import { ChainMarks } from './chain-marks.ts';
import { endsSomething, tombstonesOf } from './tombstone.ts';
import type { Tombstone } from './tombstone.ts';
import { TombstoneWriter } from './tombstone-writer.ts';

/** How long a caller waits for the disk; the lease's wait runs at the same time. */
const WRITE_LIMIT_MS = 2_000;
const RETRY_MS = 1_000;
const RETRY_AFTER_SECONDS = 10;
const REMEMBERED_PLACES = 50_000;
const UNWRITTEN = 'tombstones-unwritten';

/**
 * Records outside MongoDB what has been ended, before that is answered, so that a restored backup cannot bring it back unnoticed.
 * Does nothing where LATCHKEY_TOMBSTONE_DIR is not set.
 */
@Injectable()
export class TombstoneLog implements BeforeApplicationShutdown {
  readonly folder: string | undefined;
  /** How far chains had come; taken from the files at start, and kept up with what is written here. */
  marks = new ChainMarks();
  private readonly writer: TombstoneWriter | undefined;
  private readonly unwritten = new Set<readonly Tombstone[]>();
  private readonly places = new LRUCache<string, true>({ max: REMEMBERED_PLACES });
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
   * Called after the commit of these events and before the answer.
   *
   * @throws DomainError `tombstones-unwritten`: the change is made, its tombstone is not confirmed; writing goes on
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
      timer = setTimeout(() => reject(new Error('the disk did not confirm in time')), WRITE_LIMIT_MS);
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

  /** Whether this process has seen the tombstone of the event at this place. */
  knows(chain: string, seq: number): boolean {
    return this.places.has(`${chain} ${seq}`);
  }

  /** Notes tombstones that are in the files. */
  remember(tombstone: Tombstone): void {
    this.places.set(`${tombstone.chain} ${tombstone.seq}`, true);
  }

  /** Makes the files of past days into one. @returns how many were replaced */
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
    if (this.retry === undefined) this.logger.error({ err: error }, 'tombstones not written; trying again');
    this.conditions.set({
      code: UNWRITTEN,
      severity: 'degraded',
      detail:
        'Tombstones of deletions cannot be written. Look at the disk and the rights of LATCHKEY_TOMBSTONE_DIR; the service keeps trying.',
    });
    this.retry ??= setTimeout(() => void this.tryAgain(), RETRY_MS).unref();
  }

  private async tryAgain(): Promise<void> {
    const results = await Promise.allSettled([...this.unwritten].map((tombstones) => this.attempt(tombstones)));
    this.retry = undefined;
    if (results.some(({ status }) => status === 'rejected')) {
      this.retry = setTimeout(() => void this.tryAgain(), RETRY_MS).unref();
    } else {
      this.logger.info('tombstones written again');
    }
  }
}

function unconfirmed(cause: unknown): DomainError {
  return new DomainError(
    'tombstones-unwritten',
    'The change was made and is in force, but its record outside the database is not confirmed yet. Do not repeat it; an operator has to look at /readyz.',
    {
      cause,
      retryAfterSeconds: RETRY_AFTER_SECONDS,
      privateDetail: cause instanceof Error ? cause.message : 'unknown',
    },
  );
}
