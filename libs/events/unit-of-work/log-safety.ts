import { Injectable } from '@nestjs/common';
import { ChainHealth } from '../health/chain-health.ts';
import { TombstoneLog } from '../tombstones/tombstone-log.ts';

/** What guards the log around a commit: chains that cannot be written to before it, tombstones after it. */
@Injectable()
export class LogSafety {
  constructor(
    readonly chainHealth: ChainHealth,
    readonly tombstones: TombstoneLog,
  ) {}
}
