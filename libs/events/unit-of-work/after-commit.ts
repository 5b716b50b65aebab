import { Injectable } from '@nestjs/common';
import type { ClientSession } from 'mongoose';
import type { LogEvent } from '#chain';
import { Fence, leaseRunOut } from '#fence';
import type { DomainEvent } from '#kernel';
import { TombstoneLog } from '../tombstones/tombstone-log.ts';
import { DurablePublisher } from './durable-publisher.ts';

/** What a unit of work does between its commit and its answer. */
@Injectable()
export class AfterCommit {
  constructor(
    private readonly fence: Fence,
    private readonly publisher: DurablePublisher,
    private readonly tombstones: TombstoneLog,
  ) {}

  /** Makes every later read of this instance see a change of rights. @param session the one that committed */
  advanceFence(session: ClientSession | undefined): void {
    this.fence.advance(session?.operationTime);
  }

  /** Notifies this process's subscribers. */
  deliver(events: readonly DomainEvent[]): void {
    this.publisher.deliver(events);
  }

  /**
   * Waits until the change is recorded outside the store and, if it alters rights, in force on every instance.
   *
   * @param committedAtMs by `performance.now()`; undefined when the lease need not be awaited
   * @throws Error when a tombstone could not be written
   */
  async settle(logged: readonly LogEvent[], committedAtMs: number | undefined): Promise<void> {
    const recorded = this.tombstones.record(logged);
    const inForce = committedAtMs === undefined ? undefined : leaseRunOut(committedAtMs);
    // wait for both: even the answer "not recorded" may be sent only once the change is in force
    const [recording] = await Promise.allSettled([recorded, inForce]);
    if (recording.status === 'rejected') throw recording.reason;
  }
}
