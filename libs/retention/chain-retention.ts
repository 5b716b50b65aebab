import { Inject, Injectable } from '@nestjs/common';
import { CheckpointLog, ChainReader, exportLines } from '#audit';
import type { Checkpoint, ChainExtent } from '#audit';
import { ChainVerifier, eventLine } from '#chain';
import type { ChainName, LogEvent } from '#chain';
import { Stopping } from '#events';
import { LOGGER } from '#observability';
import type { Logger } from '#observability';
import { ArchiveFiles } from './archive-files.ts';
import type { ArchiveFile } from './archive-files.ts';
import { ArchivedEvents } from './archived-events.ts';

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
    private readonly archived: ArchivedEvents,
    private readonly stopping: Stopping,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * Archives every chain. When one cannot be archived, the others are.
   *
   * @param before only events that were signed before this time are archived
   * @returns the number of events recorded as archived, and the chains that could not be
   */
  async applyToAll(before: Date, files: ArchiveFiles): Promise<{ archived: number; failed: ChainName[] }> {
    let archived = 0;
    const failed: ChainName[] = [];
    for (const { chain } of await this.reader.extents()) {
      this.stopping.check();
      try {
        archived += await this.apply(chain, before, files);
      } catch (error) {
        this.logger.error({ err: error, chain }, 'cannot archive the events of a chain');
        failed.push(chain);
      }
    }
    return { archived, failed };
  }

  /**
   * @param before only events that were signed before this time are archived
   * @returns the number of events recorded as archived
   * @throws Error when the chain or its archive has a fault, or a step fails; nothing more is deleted then
   */
  async apply(chain: ChainName, before: Date, files: ArchiveFiles): Promise<number> {
    let extent = await this.reader.extent(chain);
    if (extent === undefined) return 0;
    if (extent.archive?.dropped === false) await this.archived.drop(extent, files);
    let archived = 0;
    for (;;) {
      const checkpoint = await this.nextCheckpoint(extent, before, files);
      if (checkpoint === undefined) return archived;
      await this.archived.check();
      const file = await this.archive(extent, checkpoint, files);
      await this.archived.record(extent, checkpoint, file);
      archived += checkpoint.seq - extent.start.seq;
      extent = (await this.reader.extent(chain)) ?? extent;
      await this.archived.drop(extent, files);
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
      this.stopping.check();
      yield exportLines('ndjson', events);
    }
  }
}

/** @throws Error when the line is not the canonical form of an event */
function asEvent(line: string): LogEvent {
  const event = JSON.parse(line) as LogEvent;
  if (eventLine(event) !== line) throw new Error('a line of the archive is not an event’s canonical form');
  return event;
}
