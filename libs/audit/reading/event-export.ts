import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown } from '@nestjs/common';
import { Refusals } from '#events';
import { refusalsQuery } from './event-filter.ts';
import { ChainReader } from './chain-reader.ts';
import type { ChainExtent } from './chain-reader.ts';
import { exportHeader, exportLines } from './event-lines.ts';
import type { ExportFormat } from './event-lines.ts';
import { refusalEvent } from './event-view.ts';
import type { EventView } from './event-view.ts';
import { patiently } from './patiently.ts';
import { mergeByTime } from './merge-by-time.ts';
import { readableText } from './readable-text.ts';

/** Events that are in memory at once, over all chains. */
const EVENTS_AT_HAND = 5_000;
const LARGEST_BATCH = 250;
const LINES_AT_ONCE = 100;
/** How long exports may go on when the service is told to stop, in milliseconds. */
const STOP_AFTER_MS = 2_000;

/** What is exported; what is left out narrows nothing. */
export interface ExportScope {
  /** Names of chains. */
  readonly chains?: readonly string[] | undefined;
  /** From this time on. */
  readonly from?: Date | undefined;
  /** Before this time. */
  readonly to?: Date | undefined;
}

/** Writes the log out, oldest first, as docs/event-log-format.md has it, in memory that does not grow with the log. */
@Injectable()
export class EventExport implements BeforeApplicationShutdown {
  private readonly running = new Set<Readable>();

  constructor(
    private readonly reader: ChainReader,
    private readonly refusals: Refusals,
  ) {}

  /**
   * A stream of text. It ends with an error where it could not be completed: what was received then is no export. To destroy it ends
   * the reading.
   *
   * @throws DomainError `store-unavailable` when not even the beginning could be read
   */
  async stream(format: ExportFormat, scope: ExportScope): Promise<Readable> {
    // the chains end where they end now: what is written later is not in this export
    const extents = await this.reader.extents(scope.chains);
    const stream = readableText(this.text(format, scope, extents));
    this.running.add(stream);
    stream.once('close', () => this.running.delete(stream));
    return stream;
  }

  /** An export that is cut off shows that it is: its receiver sees the connection break. */
  async beforeApplicationShutdown(): Promise<void> {
    const ended = [...this.running].map((stream) => finished(stream).catch(() => undefined));
    await Promise.race([Promise.all(ended), pause(STOP_AFTER_MS, undefined, { ref: false })]);
    for (const stream of this.running) stream.destroy(new Error('the service stops'));
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
    const batch = Math.max(2, Math.min(LARGEST_BATCH, Math.floor(EVENTS_AT_HAND / (extents.length + 1))));
    const sources = extents.map((extent) => this.chain(extent, scope, batch));
    yield* mergeByTime([...sources, this.refused(scope, batch)], LINES_AT_ONCE);
  }

  private async *chain(
    extent: ChainExtent,
    { from, to }: ExportScope,
    batch: number,
  ): AsyncGenerator<EventView[], void, undefined> {
    yield* this.reader.read(await this.reader.runBetween(extent, from, to), batch);
  }

  private async *refused(scope: ExportScope, batch: number): AsyncGenerator<EventView[], void, undefined> {
    const query = refusalsQuery(scope) ?? {};
    for (let after: { minute: Date; id: string } | undefined; ;) {
      const rest = after === undefined ? {} : behind(after.minute, after.id);
      const found = await patiently(() =>
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

/** The bound on the time stands by itself, so that an index serves it; the rest only settles one minute. */
function behind(minute: Date, id: string): object {
  return { minute: { $gte: minute }, $or: [{ minute: { $gt: minute } }, { minute, id: { $gt: id } }] };
}
