import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { mongo } from 'mongoose';
import { CODE, ignoring } from './error-code.ts';
import type { MigrationRecord } from './migration-record.ts';

const ID = 'lease';

/** How long a process that does not renew its lease keeps it, and how often it renews. */
export interface LeaseTimes {
  readonly leaseMs: number;
  readonly renewMs: number;
  readonly retryMs: number;
}

const TIMES: LeaseTimes = { leaseMs: 30_000, renewMs: 5_000, retryMs: 500 };

/**
 * Lets one process migrate at a time. A crashed one loses the lease when it expires, by the clock of the store. It only saves
 * work: steps are safe to run twice, and the record of a step is written once because its number is the `_id`.
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

  /** Aborted when the lease was lost, or could not be renewed before it expired. */
  get signal(): AbortSignal {
    return this.lost.signal;
  }

  /**
   * Waits for the lease, or until there is nothing left to do.
   *
   * @param isDone asked while another process holds the lease
   * @param onWait called once when another process holds it
   * @returns whether this process holds it now
   */
  async acquire(isDone: () => Promise<boolean>, onWait: () => void): Promise<boolean> {
    await this.ensureRow();
    for (let waited = false; !(await this.take()); waited = true) {
      if (await isDone()) return false;
      if (!waited) onWait();
      await pause(this.times.retryMs);
    }
    this.keep(performance.now());
    return true;
  }

  /** Gives it back, so that the next process need not wait until it expires. Without an answer, it expires. */
  async release(): Promise<void> {
    clearTimeout(this.timer);
    this.released = true;
    const back = { $set: { expiresAt: new Date(0) } };
    await this.collection.updateOne({ _id: ID, holder: this.holder }, back).catch(() => undefined);
  }

  private async ensureRow(): Promise<void> {
    await ignoring(CODE.duplicateKey, this.collection.insertOne({ _id: ID, holder: '', expiresAt: new Date(0) }));
  }

  /** Takes the lease or renews it. $$NOW is the store's clock. @returns whether this process holds it */
  private async take(): Promise<boolean> {
    const { matchedCount } = await this.collection.updateOne(
      { _id: ID, $or: [{ holder: this.holder }, { $expr: { $lte: ['$expiresAt', '$$NOW'] } }] },
      [{ $set: { holder: this.holder, expiresAt: { $add: ['$$NOW', this.times.leaseMs] } } }],
    );
    return matchedCount === 1;
  }

  private keep(takenAtMs: number): void {
    if (this.released) return;
    this.timer = setTimeout(() => {
      const sentAtMs = performance.now();
      this.take().then(
        (held) => (held ? this.keep(sentAtMs) : this.lost.abort(new Error('another process migrates'))),
        (error: unknown) => {
          if (sentAtMs - takenAtMs < this.times.leaseMs) this.keep(takenAtMs);
          else this.lost.abort(error);
        },
      );
    }, this.times.renewMs);
    this.timer.unref();
  }
}
