import { Injectable } from '@nestjs/common';
import type { Checkpoint, ChainExtent } from '#audit';
import { EVENT_LOG, EventsArchived } from '#event-types';
import { EventLog, Occurrence, UnitOfWork, systemContext } from '#events';
import { ArchiveFiles } from './archive-files.ts';
import type { ArchiveFile } from './archive-files.ts';
import { EventDropper } from './event-dropper.ts';

/** Records in the log which events a file has, and deletes those from the store. */
@Injectable()
export class ArchivedEvents {
  constructor(
    private readonly log: EventLog,
    private readonly unitOfWork: UnitOfWork,
    private readonly dropper: EventDropper,
  ) {}

  /** @throws Error when events may not be deleted */
  async check(): Promise<void> {
    await this.dropper.check();
  }

  /**
   * Records that a file has the beginning of the chain: from now on these events are read from the file only.
   *
   * @throws Error when another retention of the chain ran at the same time
   */
  async record(
    { chain, operationId, start }: ChainExtent,
    checkpoint: Checkpoint,
    archive: ArchiveFile,
  ): Promise<void> {
    const { seq: throughSeq, hash, id: checkpointId } = checkpoint;
    const data = { throughSeq, checkpointId, count: throughSeq - start.seq, ...archive };
    const event = new EventsArchived({ ...EVENT_LOG, operationId }, data);
    await this.unitOfWork.run(systemContext('event-retention'), { chains: [operationId] }, async (transaction) => {
      const { matchedCount } = await this.log.heads.collection.updateOne(
        { _id: chain, 'archive.throughSeq': start.seq === 0 ? { $exists: false } : start.seq },
        { $set: { archive: { throughSeq, hash, checkpointId, ...archive, dropped: false } } },
        { session: transaction.session },
      );
      if (matchedCount !== 1) throw new Error(`another retention of ${chain} ran at the same time`);
      transaction.publish(new Occurrence(event));
    });
  }

  /** Deletes what was recorded as archived. @throws Error when the file has changed since */
  async drop({ chain, archive }: ChainExtent, files: ArchiveFiles): Promise<void> {
    if (archive === null) return;
    const sha256 = await files.read(archive.file);
    if (sha256 !== archive.sha256) throw new Error(`the archive ${archive.file} has changed since it was written`);
    await this.dropper.drop(chain, archive.throughSeq);
    await this.log.heads.collection.updateOne(
      { _id: chain, 'archive.throughSeq': archive.throughSeq },
      { $set: { 'archive.dropped': true } },
    );
  }
}
