import { Injectable } from '@nestjs/common';
import { operationOf } from '#chain';
import { EVENT_LOG, LogReconciled } from '#event-types';
import { ChainMarks, Occurrence, TombstoneLog, UnitOfWork, readTombstones, systemContext } from '#events';
import type { ChainMark, Tombstone, UnreadableLine } from '#events';
import { ChainMarkReader } from './chain-mark-reader.ts';

const BATCH = 200;
const LIMIT_MS = 10_000;

/** The tombstones that the event log does not confirm. */
export interface TombstoneFindings {
  /** Newest marks that their chains do not contain: the chain ends earlier or has other events. */
  readonly lost: readonly ChainMark[];
  readonly unreadable: readonly UnreadableLine[];
  /** Time of the newest tombstone; undefined if there are no tombstones. */
  readonly latestAt: Date | undefined;
}

/** Reads all tombstones and compares them with the event log. Keeps one batch and one mark per chain in memory. */
@Injectable()
export class TombstoneReview {
  constructor(
    private readonly tombstones: TombstoneLog,
    private readonly marks: ChainMarkReader,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Whether the deployment writes tombstones. */
  get isOn(): boolean {
    return this.tombstones.folder !== undefined;
  }

  /**
   * @param each receives every tombstone that ends an object, in batches
   * @throws Error when the folder cannot be read; DomainError `store-unavailable`
   */
  async run(each: (batch: readonly Tombstone[]) => Promise<void>): Promise<TombstoneFindings> {
    const { folder } = this.tombstones;
    if (folder === undefined) return { lost: [], unreadable: [], latestAt: undefined };
    const unreadable: UnreadableLine[] = [];
    const marks = new ChainMarks();
    for await (const line of readTombstones(folder, (fault) => unreadable.push(fault))) marks.supersede(line);
    let batch: Tombstone[] = [];
    for await (const line of readTombstones(folder, () => undefined)) {
      marks.add(line);
      this.tombstones.remember(line);
      if (line.ids.length > 0) batch.push(line);
      if (batch.length < BATCH) continue;
      await each(batch);
      batch = [];
    }
    await each(batch);
    this.tombstones.marks = marks;
    const latestAt = marks.latestAt === '' ? undefined : new Date(marks.latestAt);
    return { lost: await this.marks.lost(marks.list()), unreadable, latestAt };
  }

  /** Whether the chains still contain all known marks. Costs one look-up per chain. */
  async marksHold(): Promise<boolean> {
    return (await this.marks.lost(this.tombstones.marks.list())).length === 0;
  }

  /** Accepts that events are lost: records the loss, and the chain continues from its current end. */
  async acceptLoss({ chain, seq, hash, at }: ChainMark): Promise<void> {
    const operationId = operationOf(chain);
    const data = { lostSeq: seq, lostHash: hash, lostAt: at };
    const event = new LogReconciled({ ...EVENT_LOG, operationId }, data);
    const options = { chains: [operationId], limitMs: LIMIT_MS };
    await this.unitOfWork.run(systemContext('reconcile'), options, (transaction) => {
      transaction.publish(new Occurrence(event));
      return Promise.resolve();
    });
  }
}
