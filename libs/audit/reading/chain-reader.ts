import { Injectable } from '@nestjs/common';
import { bounded } from '#mongo';
import { patiently } from './patiently.ts';
import { PLATFORM_CHAIN, emptyHead, EventLog, toLogEvent } from '#events';
import type { ChainHead, LogEvent, ChainArchive, ChainHeadDocument, EventDocument } from '#events';

/** Events that one query fetches: some hundred kilobytes, and a few milliseconds of work. */
const BATCH = 250;
/** Events of one chain are in order of time but for those that were written within moments of each other. */
const OUT_OF_ORDER_AT_MOST = 64;

/** A chain as it stands at a moment: `start` is before its first event, `end` is its last. */
export interface ChainExtent {
  readonly chain: string;
  readonly operationId: string | null;
  readonly start: ChainHead;
  readonly end: ChainHead;
  readonly archive: ChainArchive | null;
}

/** The events of a chain from behind `after` up to and with `through`. */
export interface ChainRun {
  readonly chain: string;
  readonly after: number;
  readonly through: number;
}

/** Thrown when a retention dropped what was about to be read. Whoever begins anew finds a shorter chain. */
export class ArchivedMeanwhile extends Error {
  override readonly name = 'ArchivedMeanwhile';
}

/**
 * Reads whole chains, however long, in memory for one batch. Each query asks for a range of places, which the unique index of the
 * chains serves, so nothing is held open in the store and a reader may be as slow as it likes.
 */
@Injectable()
export class ChainReader {
  constructor(private readonly log: EventLog) {}

  /** The chains as they stand now, by name. @param chains names; all when left out; unknown ones have no extent */
  async extents(chains?: readonly string[]): Promise<ChainExtent[]> {
    const filter = chains === undefined ? {} : { _id: { $in: [...chains] as never[] } };
    const found = await bounded(this.log.heads.collection.find(filter, { sort: { _id: 1 } }).toArray());
    return found.map((head) => extentOf(head as unknown as ChainHeadDocument));
  }

  /** One chain as it stands now; undefined when there is none of that name. */
  async extent(chain: string): Promise<ChainExtent | undefined> {
    return (await this.extents([chain]))[0];
  }

  /**
   * Names of the chains that have events, whether or not they have a head. One short query for each.
   *
   * @param chains those that are asked for; all when left out
   */
  async namesInEvents(chains?: readonly string[]): Promise<string[]> {
    const names: string[] = [];
    const asked = chains === undefined ? {} : { $in: [...chains] };
    for (let after = ''; ;) {
      const next = { projection: { chain: 1 }, sort: { chain: 1, seq: 1 } } as const;
      const filter = { chain: { $gt: after, ...asked } };
      const found = await patiently(() => this.log.events.collection.findOne(filter, next));
      if (found === null) return names;
      after = String(found['chain']);
      names.push(after);
    }
  }

  /** Whether there is such a chain. The platform's always is. */
  async exists(chain: string): Promise<boolean> {
    return chain === PLATFORM_CHAIN || (await this.extent(chain)) !== undefined;
  }

  /**
   * The events of a run in ascending order, batch by batch. Those that are missing are left out: to notice is the verifier's part.
   *
   * @throws ArchivedMeanwhile when they are missing because a retention dropped them
   */
  async *read({ chain, after, through }: ChainRun, batch = BATCH): AsyncGenerator<LogEvent[], void, undefined> {
    for (let lower = after; lower < through;) {
      const upper = Math.min(lower + batch, through);
      const found = await patiently(() =>
        this.log.events.collection
          .find({ chain, seq: { $gt: lower, $lte: upper } }, { sort: { seq: 1 }, batchSize: batch })
          .toArray(),
      );
      if (found.length < upper - lower) await this.checkNotArchived(chain, lower);
      if (found.length > 0) yield found.map((event) => toLogEvent(event as unknown as EventDocument));
      lower = upper;
    }
  }

  /**
   * Where events of a time stand in a chain: a contiguous run that holds each of them, and at its ends perhaps an event of
   * moments before or after.
   */
  async runBetween(extent: ChainExtent, from: Date | undefined, to: Date | undefined): Promise<ChainRun> {
    const { chain, operationId, start, end } = extent;
    const first = from === undefined ? [] : await this.seqsAtEdge(operationId, { $gte: from }, 1);
    const last = to === undefined ? [] : await this.seqsAtEdge(operationId, { $lt: to }, -1);
    const after = from === undefined ? start.seq : Math.min(...first) - 1;
    const through = to === undefined ? end.seq : Math.max(...last);
    return { chain, after: Math.max(after, start.seq), through: Math.min(through, end.seq) };
  }

  private async seqsAtEdge(operationId: string | null, at: object, direction: 1 | -1): Promise<number[]> {
    const sort = { at: direction, _id: direction } as const;
    const options = { sort, limit: OUT_OF_ORDER_AT_MOST, projection: { seq: 1 } };
    const found = await patiently(() => this.log.events.collection.find({ operationId, at }, options).toArray());
    return found.map((event) => Number(event['seq']));
  }

  private async checkNotArchived(chain: string, lower: number): Promise<void> {
    const archived = (await this.extent(chain))?.start.seq ?? 0;
    if (archived > lower) throw new ArchivedMeanwhile(`chain ${chain} was archived up to ${archived}`);
  }
}

function extentOf({ _id, seq, hash, archive }: ChainHeadDocument): ChainExtent {
  return {
    chain: _id,
    operationId: _id === PLATFORM_CHAIN ? null : _id,
    start: archive === undefined ? emptyHead(_id) : { seq: archive.throughSeq, hash: archive.hash },
    end: { seq, hash },
    archive: archive ?? null,
  };
}
