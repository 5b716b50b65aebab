import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import type { LogEvent } from '#chain';
import { Refusals } from '#events';
import { afterSummary, eventsQuery, refusalsQuery } from './event-filter.ts';
import type { EventFilter } from './event-filter.ts';
import { ChainReader } from './chain-reader.ts';
import type { ChainExtent } from './chain-reader.ts';
import { exportHeader, exportLines } from './event-lines.ts';
import type { ExportFormat } from './event-lines.ts';
import { refusalEvent } from './event-view.ts';
import type { EventView } from './event-view.ts';
import { mergeByTime } from './merge-by-time.ts';
import { ReadRetry } from './read-retry.ts';
import { TextStreams } from './text-streams.ts';

/** The maximum number of events in memory, over all chains. */
const MAX_EVENTS_IN_MEMORY = 5_000;
const MAX_BATCH_SIZE = 250;
const LINES_PER_CHUNK = 100;

/** The scope of an export. */
export type ExportScope = Pick<EventFilter, 'chains' | 'from' | 'to' | 'type' | 'outcome' | 'subject'>;

/** Exports the log, oldest first, in the format of docs/event-log-format.md, with constant memory. */
@Injectable()
export class EventExport {
  constructor(
    private readonly reader: ChainReader,
    private readonly refusals: Refusals,
    private readonly retry: ReadRetry,
    private readonly streams: TextStreams,
  ) {}

  /**
   * A stream of text that fails if the export cannot be completed. Destroying it stops the reading.
   *
   * @throws DomainError `store-unavailable` when the beginning cannot be read
   */
  async stream(format: ExportFormat, scope: ExportScope): Promise<Readable> {
    // fix the current ends of the chains: later events are not part of this export
    const extents = await this.reader.extents(scope.chains);
    return this.streams.open(this.text(format, scope, extents));
  }

  private async *text(
    format: ExportFormat,
    scope: ExportScope,
    extents: readonly ChainExtent[],
  ): AsyncGenerator<string, void, undefined> {
    const header = exportHeader(format);
    if (header !== '') yield header;
    for await (const events of this.events(scope, extents)) yield exportLines(format, events);
  }

  private async *events(
    scope: ExportScope,
    extents: readonly ChainExtent[],
  ): AsyncGenerator<EventView[], void, undefined> {
    const batch = Math.max(2, Math.min(MAX_BATCH_SIZE, Math.floor(MAX_EVENTS_IN_MEMORY / (extents.length + 1))));
    const sources = extents.map((extent) => this.chain(extent, scope, batch));
    yield* mergeByTime([...sources, this.refused(scope, batch)], LINES_PER_CHUNK);
  }

  private async *chain(
    extent: ChainExtent,
    scope: ExportScope,
    batch: number,
  ): AsyncGenerator<EventView[], void, undefined> {
    if (eventsQuery(scope) === undefined) return;
    const run = await this.reader.runBetween(extent, scope.from, scope.to);
    for await (const events of this.reader.read(run, batch)) {
      const selected = events.filter((event) => isSelected(event, scope));
      if (selected.length > 0) yield selected;
    }
  }

  private async *refused(scope: ExportScope, batch: number): AsyncGenerator<EventView[], void, undefined> {
    const query = refusalsQuery(scope);
    if (query === undefined) return;
    for (let after: { minute: Date; id: string } | undefined; ;) {
      const rest = after === undefined ? {} : afterSummary(after.minute, after.id);
      const found = await this.retry.run(() =>
        this.refusals.model
          .find({ $and: [query, rest] })
          .sort({ minute: 1, id: 1 })
          .limit(batch)
          .lean()
          .exec(),
      );
      if (found.length > 0) yield found.map(refusalEvent);
      if (found.length < batch) return;
      after = found.at(-1);
    }
  }
}

function isSelected({ type, subject }: LogEvent, scope: ExportScope): boolean {
  if (scope.type !== undefined && type !== scope.type) return false;
  return scope.subject === undefined || subject.id === scope.subject;
}
