import { Inject, Injectable } from '@nestjs/common';
import { TombstoneLog } from '#events';
import { Clock } from '#kernel';
import { LOGGER } from '#observability';
import type { Logger } from '#observability';
import { TombstoneCatchUp } from './tombstone-catch-up.ts';

/** Commits that were running when the newest tombstone was written may have an older time. */
const CATCH_UP_MARGIN_MS = 3_600_000;
const CATCH_UP_OVERLAP_MS = 120_000;
const COMPACTION_INTERVAL_MS = 24 * 3_600_000;

/** Keeps the tombstones complete and small while the service runs. */
@Injectable()
export class TombstoneUpkeep {
  private caughtUpTo: number | undefined;
  private compactedAtMs = -Infinity;

  constructor(
    private readonly missing: TombstoneCatchUp,
    private readonly tombstones: TombstoneLog,
    private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Where to begin looking for missing ones; later calls change nothing. @param latestAt of the newest tombstone */
  beginAt(latestAt: Date | undefined): void {
    this.caughtUpTo ??= latestAt === undefined ? 0 : latestAt.getTime() - CATCH_UP_MARGIN_MS;
  }

  /** Writes the tombstones that are missing, and once a day compacts the files. @throws Error when it cannot */
  async run(): Promise<void> {
    const nowMs = this.clock.nowMs();
    await this.missing.run(new Date(this.caughtUpTo ?? 0));
    this.caughtUpTo = nowMs - CATCH_UP_OVERLAP_MS;
    if (performance.now() - this.compactedAtMs < COMPACTION_INTERVAL_MS) return;
    this.compactedAtMs = performance.now();
    const files = await this.tombstones.compact();
    if (files > 0) this.logger.info({ files }, 'tombstone files compacted');
  }
}
