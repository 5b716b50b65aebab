import { Injectable } from '@nestjs/common';
import { SessionPool, bounded } from '#mongo';
import { EventLog } from '../log/event-log.ts';

/** Chains of one write. */
const PAGE = 500;
/** How long a write may wait for transactions that hold one of its chains, in milliseconds. */
const MAX_WAIT_MS = 2_000;

/**
 * Lets a rare writer rule out frequent ones without a document that all of them write to. Every change of an operation writes to the
 * head of its chain. So after a write to every head, each change that began before it is either committed or fails.
 */
@Injectable()
export class ChainBarrier {
  constructor(
    private readonly eventLog: EventLog,
    private readonly sessions: SessionPool,
  ) {}

  /**
   * When this returns, every change that is still to be committed sees what was committed before the call.
   * (A chain that begins meanwhile needs no write: its first change began after the operation was made.)
   *
   * @throws DomainError `store-unavailable` when a transaction holds a chain for too long
   */
  async pass(): Promise<void> {
    for (let after: string | undefined = ''; after !== undefined;) {
      const ids = await this.page(after);
      if (ids.length > 0) await this.write(ids);
      after = ids.length < PAGE ? undefined : ids.at(-1);
    }
  }

  private async page(after: string): Promise<string[]> {
    const { collection } = this.eventLog.heads;
    const found = collection.find({ _id: { $gt: after as never } }, { projection: { _id: 1 } });
    return (await bounded(found.sort({ _id: 1 }).limit(PAGE).toArray())).map(({ _id }) => String(_id));
  }

  private async write(ids: readonly string[]): Promise<void> {
    const { collection } = this.eventLog.heads;
    // outside of a transaction a write waits for those that hold a head; inside, it would fail
    const filter = { _id: { $in: ids as never[] } };
    const written = collection.updateMany(filter, { $inc: { turn: 1 } }, { maxTimeMS: MAX_WAIT_MS });
    try {
      await bounded(written);
    } catch (error) {
      await this.sessions.endThoseOfSilentInstances();
      throw error;
    }
  }
}
