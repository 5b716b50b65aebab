import { Injectable } from '@nestjs/common';
import { ChainHealth } from '../health/chain-health.ts';
import { TombstoneLog } from '../tombstones/tombstone-log.ts';

/** The checks of the log around a commit: chain health before it, tombstones after it. */
@Injectable()
export class LogSafety {
  constructor(
    readonly chainHealth: ChainHealth,
    readonly tombstones: TombstoneLog,
  ) {}
}
