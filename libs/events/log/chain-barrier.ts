import { Injectable } from '@nestjs/common';
import { Fence, findAfter } from '#fence';
import type { FencedState } from '#fence';
import { SessionPool, bounded } from '#mongo';
import { EventLog } from './event-log.ts';

/** The number of chains per write. */
const PAGE_SIZE = 500;
/** The time limit for waiting on transactions that hold one of the chains. */
const MAX_WAIT_MS = 2_000;

/**
 * Lets a rare writer exclude frequent ones without a shared document. Every change of an operation writes to its chain
 * head; so after a write to every head, each change that began earlier is committed or fails.
 */
@Injectable()
export class ChainBarrier {
  constructor(
    private readonly eventLog: EventLog,
    private readonly fence: Fence,
    private readonly sessions: SessionPool,
  ) {}

  /**
   * After this returns, every later commit has seen what was committed before the call. A chain that begins in the
   * meantime needs no write: its first change began later.
   *
   * @returns a state that shows what was committed before the call, for the reads after it
   * @throws DomainError `store-unavailable` when a transaction holds a chain for too long
   */
  async pass(): Promise<FencedState> {
    // a primary that was deposed, or is new, might not know chains that others know
    const state = await this.fence.next();
    for (let after: string | undefined = ''; after !== undefined;) {
      const ids = await this.page(after, state);
      if (ids.length > 0) await this.write(ids);
      after = ids.length < PAGE_SIZE ? undefined : ids.at(-1);
    }
    return state;
  }

  private async page(after: string, { floor }: FencedState): Promise<string[]> {
    const query = { filter: { _id: { $gt: after } }, projection: { _id: 1 }, sort: { _id: 1 }, atMost: PAGE_SIZE };
    const { documents } = await bounded(findAfter(floor, this.eventLog.heads, query));
    return documents.map(({ _id }) => String(_id));
  }

  private async write(ids: readonly string[]): Promise<void> {
    const { collection } = this.eventLog.heads;
    // outside a transaction, a write waits for those that hold a head; inside, it would fail
    const filter = { _id: { $in: ids as never[] } };
    const written = collection.updateMany(filter, { $inc: { turn: 1 } }, { maxTimeMS: MAX_WAIT_MS });
    try {
      await bounded(written);
    } catch (error) {
      await this.sessions.endDeadInstances();
      throw error;
    }
  }
}
