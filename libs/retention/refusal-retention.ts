import { Injectable } from '@nestjs/common';
import { refusalEvent, exportLines } from '#audit';
import { RefusalsArchived } from '#event-types';
import { EventLog, Occurrence, Refusals, systemContext, UnitOfWork } from '#events';
import { bounded } from '#mongo';
import type { ArchiveFiles } from './archive-files.ts';

const BATCH = 500;
const DAY_MS = 24 * 60 * 60 * 1000;
const ARCHIVED = RefusalsArchived.type;

/** A day by the store's clock. */
interface Day {
  readonly name: string;
  readonly from: Date;
  readonly to: Date;
}

/** Archives refusal summaries by day and deletes them: the same steps as for a chain, without the proof. */
@Injectable()
export class RefusalRetention {
  constructor(
    private readonly refusals: Refusals,
    private readonly log: EventLog,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** @param before only whole days before this time are archived @returns the number of deleted summaries */
  async apply(before: Date, files: ArchiveFiles): Promise<number> {
    let dropped = 0;
    for (let day = await this.oldest(); day !== undefined && day.to <= before; day = await this.oldest()) {
      await this.archive(day, files);
      dropped += await this.drop(day);
    }
    return dropped;
  }

  private async drop({ from, to }: Day): Promise<number> {
    const { model } = this.refusals;
    for (let dropped = 0; ;) {
      const query = model.find({ minute: { $gte: from, $lt: to } }).select({ _id: 1 });
      const found = await bounded(query.limit(BATCH).lean().exec());
      if (found.length === 0) return dropped;
      const ids = found.map(({ _id }) => _id);
      dropped += (await bounded(model.deleteMany({ _id: { $in: ids } }).exec())).deletedCount;
    }
  }

  private async oldest(): Promise<Day | undefined> {
    const found = await bounded(this.refusals.model.findOne().sort({ minute: 1 }).lean().exec());
    if (found === null) return undefined;
    const from = new Date(Math.floor(found.minute.getTime() / DAY_MS) * DAY_MS);
    return { name: from.toISOString().slice(0, 10), from, to: new Date(from.getTime() + DAY_MS) };
  }

  private async archive(day: Day, files: ArchiveFiles): Promise<void> {
    const file = `refusals/${day.name}.ndjson`;
    const recorded = await bounded(this.log.events.findOne({ type: ARCHIVED, 'subject.id': day.name }).lean().exec());
    if (recorded !== null) {
      // an earlier run was killed while deleting
      if ((await files.read(file)) !== recorded.data['sha256'])
        throw new Error(`the archive ${file} has changed since it was written`);
      return;
    }
    let count = 0;
    await files.write(file, this.lines(day));
    const sha256 = await files.read(file, (lines) => (count += lines.length));
    const data = { count, file, sha256 };
    await this.unitOfWork.run(systemContext('event-retention'), { chains: [null] }, (transaction) => {
      transaction.publish(new Occurrence(new RefusalsArchived({ id: day.name }, data)));
      return Promise.resolve();
    });
  }

  private async *lines({ from, to }: Day): AsyncGenerator<string, void, undefined> {
    for (let after: string | undefined; ;) {
      const query = { minute: { $gte: from, $lt: to }, ...(after === undefined ? {} : { id: { $gt: after } }) };
      const found = await bounded(this.refusals.model.find(query).sort({ id: 1 }).limit(BATCH).lean().exec());
      if (found.length > 0) yield exportLines('ndjson', found.map(refusalEvent));
      if (found.length < BATCH) return;
      after = found.at(-1)?.id;
    }
  }
}
