import { Injectable } from '@nestjs/common';
import { EVENT_LOG, EventsArchived } from '#event-types';
import { ChainVerifier, EventLog, Occurrence, Stopping, UnitOfWork, eventLine, systemContext } from '#events';
import type { ChainName, LogEvent } from '#events';
import type { Checkpoint } from '../checkpoints/checkpoints.ts';
import { CheckpointLog } from '../checkpoints/checkpoint-log.ts';
import { ChainReader } from '../reading/chain-reader.ts';
import type { ChainExtent } from '../reading/chain-reader.ts';
import { exportLines } from '../reading/event-lines.ts';
import { ArchiveFiles } from './archive-files.ts';
import type { ArchiveFile } from './archive-files.ts';
import { EventDropper } from './event-dropper.ts';

/** The dependencies of a retention for recording and deleting. */
@Injectable()
export class RetentionStore {
  constructor(
    readonly log: EventLog,
    readonly unitOfWork: UnitOfWork,
    readonly dropper: EventDropper,
    readonly stopping: Stopping,
  ) {}
}

/**
 * Archives the beginning of a chain and deletes it from the store. A killed run is resumed by the next one. The steps:
 *
 * 1. write the events to a file, or use a leftover file;
 * 2. verify the file against the chain and the checkpoint at its end;
 * 3. in one transaction, record `events.archived.v1` and the new start of the chain; earlier events are no longer read;
 * 4. delete the events, oldest first, only while the file exists unchanged.
 */
@Injectable()
export class ChainRetention {
  constructor(
    private readonly reader: ChainReader,
    private readonly checkpoints: CheckpointLog,
    private readonly store: RetentionStore,
  ) {}

  /**
   * @param before only events that were signed before this time are archived
   * @returns the number of events recorded as archived
   * @throws Error when the chain or its archive has a fault, or a step fails; nothing more is deleted then
   */
  async apply(chain: ChainName, before: Date, files: ArchiveFiles): Promise<number> {
    let extent = await this.reader.extent(chain);
    if (extent === undefined) return 0;
    if (extent.archive?.dropped === false) await this.drop(extent, files);
    let archived = 0;
    for (;;) {
      const checkpoint = await this.nextCheckpoint(extent, before, files);
      if (checkpoint === undefined) return archived;
      await this.store.dropper.check();
      const file = await this.archive(extent, checkpoint, files);
      await this.recordArchive(extent, checkpoint, file);
      archived += checkpoint.seq - extent.start.seq;
      extent = (await this.reader.extent(chain)) ?? extent;
      await this.drop(extent, files);
    }
  }

  private async nextCheckpoint(
    { chain, start }: ChainExtent,
    before: Date,
    files: ArchiveFiles,
  ): Promise<Checkpoint | undefined> {
    const leftover = await files.lastSeqOfLeftover(chain, start.seq + 1);
    const checkpoint = await (leftover === undefined
      ? this.checkpoints.last(chain, before)
      : this.checkpoints.at(chain, leftover));
    if (checkpoint === undefined && leftover === undefined) return undefined;
    if (checkpoint === undefined)
      throw new Error(`an archive of ${chain} ends at ${leftover}, but there is no checkpoint`);
    if (checkpoint.seq <= start.seq || new Date(checkpoint.at) >= before) return undefined;
    const fault = await this.checkpoints.fault(checkpoint);
    if (fault !== null) throw new Error(`checkpoint ${checkpoint.id} is not valid: ${fault}`);
    return checkpoint;
  }

  private async archive(extent: ChainExtent, checkpoint: Checkpoint, files: ArchiveFiles): Promise<ArchiveFile> {
    const { chain, start } = extent;
    const file = ArchiveFiles.nameOf(chain, start.seq + 1, checkpoint.seq);
    if ((await files.lastSeqOfLeftover(chain, start.seq + 1)) === undefined) {
      await files.write(file, this.lines(chain, start.seq, checkpoint.seq));
    }
    const verifier = new ChainVerifier(chain, start, [checkpoint]);
    const sha256 = await files.read(file, (lines) => {
      for (const line of lines) verifier.add(asEvent(line));
    });
    const fault = verifier.end();
    if (fault !== null) throw new Error(`the archive ${file} has a fault: ${fault.reason} at seq ${fault.seq}`);
    return { file, sha256 };
  }

  private async *lines(chain: ChainName, after: number, through: number): AsyncGenerator<string, void, undefined> {
    for await (const events of this.reader.read({ chain, after, through })) {
      this.store.stopping.check();
      yield exportLines('ndjson', events);
    }
  }

  private async recordArchive(
    { chain, operationId, start }: ChainExtent,
    checkpoint: Checkpoint,
    archive: ArchiveFile,
  ) {
    const { seq: throughSeq, hash, id: checkpointId } = checkpoint;
    const data = { throughSeq, checkpointId, count: throughSeq - start.seq, ...archive };
    const event = new EventsArchived({ ...EVENT_LOG, operationId }, data);
    const { log, unitOfWork } = this.store;
    await unitOfWork.run(systemContext('event-retention'), { chains: [operationId] }, async (transaction) => {
      const { matchedCount } = await log.heads.collection.updateOne(
        { _id: chain, 'archive.throughSeq': start.seq === 0 ? { $exists: false } : start.seq },
        { $set: { archive: { throughSeq, hash, checkpointId, ...archive, dropped: false } } },
        { session: transaction.session },
      );
      if (matchedCount !== 1) throw new Error(`another retention of ${chain} ran at the same time`);
      transaction.publish(new Occurrence(event));
    });
  }

  private async drop({ chain, archive }: ChainExtent, files: ArchiveFiles): Promise<void> {
    if (archive === null) return;
    const sha256 = await files.read(archive.file);
    if (sha256 !== archive.sha256) throw new Error(`the archive ${archive.file} has changed since it was written`);
    await this.store.dropper.drop(chain, archive.throughSeq);
    await this.store.log.heads.collection.updateOne(
      { _id: chain, 'archive.throughSeq': archive.throughSeq },
      { $set: { 'archive.dropped': true } },
    );
  }
}

/** @throws Error when the line is not the canonical form of an event */
function asEvent(line: string): LogEvent {
  const event = JSON.parse(line) as LogEvent;
  if (eventLine(event) !== line) throw new Error('a line of the archive is not an event’s canonical form');
  return event;
}
