import { Injectable } from '@nestjs/common';
import { EVENT_LOG, LogReconciled } from '#event-types';
import {
  PLATFORM_CHAIN,
  Occurrence,
  systemContext,
  UnitOfWork,
  ChainMarks,
  readTombstones,
  TombstoneLog,
} from '#events';
import { ChainMarkReader } from './chain-mark-reader.ts';
import type { ChainMark, UnreadableLine, Tombstone } from '#events';
import { TombstoneCatchUp } from './tombstone-catch-up.ts';

const BATCH = 200;
const LIMIT_MS = 10_000;

/** What the files say that the event log does not. */
export interface TombstoneFindings {
  /** Newest marks that their chains do not hold: the chain ends before it, or went another way. */
  readonly lost: readonly ChainMark[];
  readonly unreadable: readonly UnreadableLine[];
  /** Time of the newest tombstone; undefined when there is none. */
  readonly latestAt: Date | undefined;
}

/** Reads all tombstones and compares them with the event log, in memory for one batch and one mark a chain. */
@Injectable()
export class TombstoneReview {
  constructor(
    private readonly tombstones: TombstoneLog,
    private readonly marks: ChainMarkReader,
    private readonly unitOfWork: UnitOfWork,
    private readonly missing: TombstoneCatchUp,
  ) {}

  /**
   * @param each gets every tombstone that ends something, batch by batch
   * @throws Error when the directory cannot be read; DomainError `store-unavailable`
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

  /** Whether the chains still hold the marks that this process knows of. Cheap: one look-up a chain. */
  async marksHold(): Promise<boolean> {
    return (await this.marks.lost(this.tombstones.marks.list())).length === 0;
  }

  /** Writes tombstones that events of the log should have and have not. @param from time of the oldest event to look at */
  async catchUp(from: Date): Promise<void> {
    await this.missing.run(from);
  }

  /** Lets a chain go on from where it ends, with an event that says what it lost: that cannot be had back. */
  async acceptLoss({ chain, seq, hash, at }: ChainMark): Promise<void> {
    const operationId = chain === PLATFORM_CHAIN ? null : chain;
    const data = { lostSeq: seq, lostHash: hash, lostAt: at };
    const event = new LogReconciled({ ...EVENT_LOG, operationId }, data);
    const options = { chains: [operationId], limitMs: LIMIT_MS };
    await this.unitOfWork.run(systemContext('reconcile'), options, (transaction) => {
      transaction.publish(new Occurrence(event));
      return Promise.resolve();
    });
  }
}
