import { Injectable } from '@nestjs/common';
import { Fence } from '#fence';
import { FirstAdmin } from '#identity';
import { MongoStore, bounded } from '#mongo';
import { JobQueues } from '#queues';

const CHECK_TIMEOUT_MS = 1_000;

/** Checks whether the stores are available. */
@Injectable()
export class StoreSigns {
  constructor(
    private readonly store: MongoStore,
    private readonly fence: Fence,
    private readonly firstAdmin: FirstAdmin,
    private readonly jobQueues: JobQueues,
  ) {}

  /** Up if the primary answers and a majority confirms that it is the primary, which every answer requires. */
  async mongodb(): Promise<'up' | 'down'> {
    if (!this.store.ready || !this.firstAdmin.settled) return 'down';
    try {
      await bounded(Promise.all([this.store.ping(), this.fence.ready()]), CHECK_TIMEOUT_MS);
      return 'up';
    } catch {
      return 'down';
    }
  }

  async redis(): Promise<'up' | 'down'> {
    return (await this.jobQueues.isReachable(CHECK_TIMEOUT_MS)) ? 'up' : 'down';
  }
}
