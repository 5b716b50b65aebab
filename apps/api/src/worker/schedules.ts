import { Inject, Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { Command } from '@nestjs/cqrs';
import { ContinueApiRemovalsCommand } from '#api-withdrawal';
import { SignCheckpointsCommand } from '#audit';
import { WriteNoticesCommand } from '#credentials';
import { Clock } from '#kernel';
import { MongoStore } from '#mongo';
import { LOGGER } from '#observability';
import type { Logger } from '#observability';
import { JobQueues, queues } from '#queues';
import { RedisNamespace } from '#redis';
import { ArchiveEventsCommand } from '#retention';
import { PruneTokensCommand } from '#tokens';

interface Schedule {
  readonly everyMs: number;
  readonly command: () => Command<unknown>;
}

const HOUR_MS = 60 * 60 * 1000;

/** Recurring commands, by job name. */
export const schedules: Readonly<Record<string, Schedule>> = {
  'continue-api-removals': { everyMs: 10_000, command: () => new ContinueApiRemovalsCommand() },
  'prune-tokens': { everyMs: 60_000, command: () => new PruneTokensCommand() },
  'write-notices': { everyMs: 600_000, command: () => new WriteNoticesCommand() },
  'sign-checkpoints': { everyMs: HOUR_MS, command: () => new SignCheckpointsCommand() },
  'archive-events': { everyMs: 24 * HOUR_MS, command: () => new ArchiveEventsCommand() },
};

const CHECK_INTERVAL_MS = 10_000;
/** BullMQ uses this machine's clock. Its maximum difference from the store's clock. */
const MAX_CLOCK_DIFFERENCE_MS = 30_000;

/** Keeps the schedules in Redis, and restores them after Redis was emptied. */
@Injectable()
export class Schedules implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly jobQueues: JobQueues,
    private readonly store: MongoStore,
    private readonly clock: Clock,
    private readonly namespace: RedisNamespace,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.check(), CHECK_INTERVAL_MS);
    void this.namespace.prefix().then(() => this.check());
  }

  beforeApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private async check(): Promise<void> {
    try {
      const queue = this.jobQueues.get('maintenance');
      for (const [name, { everyMs }] of Object.entries(schedules)) {
        const known = await this.jobQueues.within(() => queue.getJobScheduler(name));
        if (known?.every === everyMs && !this.isTooLate(known.next, everyMs)) continue;
        // remove it first: an upsert alone would keep the old next time
        if (known !== undefined) await this.jobQueues.within(() => queue.removeJobScheduler(name));
        await this.jobQueues.within(() =>
          queue.upsertJobScheduler(name, { every: everyMs }, { name, opts: queues.maintenance }),
        );
        this.logger.info({ schedule: name, everyMs }, 'schedule set');
      }
    } catch (error) {
      this.logger.debug({ err: error }, 'cannot check the schedules: Redis is unavailable');
    }
  }

  /**
   * Whether a schedule's next run is too late, because the last run was on an instance whose clock is hours ahead. Only
   * an instance with a correct clock repairs it.
   */
  private isTooLate(next: number | undefined, everyMs: number): boolean {
    if (next === undefined || !this.store.ready) return false;
    const nowMs = this.clock.nowMs();
    return Math.abs(Date.now() - nowMs) < MAX_CLOCK_DIFFERENCE_MS && next > nowMs + everyMs + MAX_CLOCK_DIFFERENCE_MS;
  }
}
