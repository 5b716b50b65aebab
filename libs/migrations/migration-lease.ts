import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { mongo } from 'mongoose';
import { CODE, ignoreError } from './mongo-error-code.ts';
import type { MigrationRecord } from './migration-record.ts';

const ID = 'lease';

/** How long a lease lasts without renewal, and how often it is renewed. */
export interface LeaseTimes {
  readonly leaseMs: number;
  readonly renewMs: number;
  readonly retryMs: number;
}

const TIMES: LeaseTimes = { leaseMs: 30_000, renewMs: 5_000, retryMs: 500 };

/**
 * Lets one process migrate at a time. The lease of a crashed process expires by the store's clock. It only avoids
 * double work: steps may run twice, and a step is recorded once because its number is the `_id`.
 */
export class MigrationLease {
  private readonly holder = randomUUID();
  private readonly lost = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private released = false;

  constructor(
    private readonly collection: mongo.Collection<MigrationRecord>,
    private readonly times: LeaseTimes = TIMES,
  ) {}

  /** Aborted when another process took the lease, or it expired without renewal. */
  get signal(): AbortSignal {
    return this.lost.signal;
  }

  /**
   * Waits for the lease, or until the work is done.
   *
   * @param isDone checked while another process holds the lease
   * @param onWait called once if another process holds the lease
   * @returns whether this process holds the lease now
   */
  async acquire(isDone: () => Promise<boolean>, onWait: () => void): Promise<boolean> {
    await this.ensureRecord();
    for (let waited = false; !(await this.take()); waited = true) {
      if (await isDone()) return false;
      if (!waited) onWait();
      await pause(this.times.retryMs);
    }
    this.scheduleRenewal(performance.now());
    return true;
  }

  /** Lets the next process start without waiting for the expiry. If the call fails, the lease expires. */
  async release(): Promise<void> {
    clearTimeout(this.timer);
    this.released = true;
    const back = { $set: { expiresAt: new Date(0) } };
    await this.collection.updateOne({ _id: ID, holder: this.holder }, back).catch(() => undefined);
  }

  private async ensureRecord(): Promise<void> {
    await ignoreError(CODE.duplicateKey, this.collection.insertOne({ _id: ID, holder: '', expiresAt: new Date(0) }));
  }

  /** Takes or renews the lease. $$NOW is the store's clock. @returns whether this process holds it */
  private async take(): Promise<boolean> {
    const { matchedCount } = await this.collection.updateOne(
      { _id: ID, $or: [{ holder: this.holder }, { $expr: { $lte: ['$expiresAt', '$$NOW'] } }] },
      [{ $set: { holder: this.holder, expiresAt: { $add: ['$$NOW', this.times.leaseMs] } } }],
    );
    return matchedCount === 1;
  }

  private scheduleRenewal(takenAtMs: number): void {
    if (this.released) return;
    this.timer = setTimeout(() => {
      const sentAtMs = performance.now();
      this.take().then(
        (held) => (held ? this.scheduleRenewal(sentAtMs) : this.lost.abort(new Error('another process migrates'))),
        (error: unknown) => {
          if (sentAtMs - takenAtMs < this.times.leaseMs) this.scheduleRenewal(takenAtMs);
          else this.lost.abort(error);
        },
      );
    }, this.times.renewMs);
    this.timer.unref();
  }
}
