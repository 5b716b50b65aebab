import { Injectable } from '@nestjs/common';
import { FirstAdmin } from '#identity';
import { Fence, MongoStore, bounded } from '#mongo';
import { JobQueues } from '#queues';

/** How long a store may take to show a sign of life, in milliseconds. */
const SIGN_OF_LIFE_MS = 1_000;

/** Asks the stores for a sign of life. */
@Injectable()
export class StoreSigns {
  constructor(
    private readonly store: MongoStore,
    private readonly fence: Fence,
    private readonly firstAdmin: FirstAdmin,
    private readonly jobQueues: JobQueues,
  ) {}

  /** Up when the primary answers and a majority confirms that it is the primary: without that no question is answered. */
  async mongodb(): Promise<'up' | 'down'> {
    if (!this.store.ready || !this.firstAdmin.settled) return 'down';
    try {
      await bounded(Promise.all([this.store.ping(), this.fence.ready()]), SIGN_OF_LIFE_MS);
      return 'up';
    } catch {
      return 'down';
    }
  }

  async redis(): Promise<'up' | 'down'> {
    return (await this.jobQueues.isReachable(SIGN_OF_LIFE_MS)) ? 'up' : 'down';
  }
}
