import { Injectable } from '@nestjs/common';
import { PLATFORM_CHAIN, chainName, emptyHead, operationOf } from '#chain';
import type { ChainHead, ChainName, LogEvent } from '#chain';
import { EventLog, toLogEvent } from '#events';
import type { ChainArchive, ChainHeadDocument, EventDocument } from '#events';
import { bounded } from '#mongo';
import { ReadRetry } from './read-retry.ts';

/** The number of events per query: some hundred kilobytes, and a few milliseconds of work. */
const BATCH_SIZE = 250;
/** The maximum number of events that may be out of time order, because they were written almost simultaneously. */
const MAX_OUT_OF_ORDER = 64;

/** The current extent of a chain: `start` is the position before its first event, `end` is its last event. */
export interface ChainExtent {
  readonly chain: ChainName;
  readonly operationId: string | null;
  readonly start: ChainHead;
  readonly end: ChainHead;
  readonly archive: ChainArchive | null;
}

/** The events of a chain after `after` up to and including `through`. */
export interface ChainRun {
  readonly chain: ChainName;
  readonly after: number;
  readonly through: number;
}

/** A retention deleted the events to be read. A retry finds a shorter chain. */
export class ChainArchived extends Error {
  override readonly name = 'ChainArchived';
}

/**
 * Reads chains of any length with the memory of one batch. Each query is for a range of positions, so no cursor stays
 * open in the store and a consumer may be slow.
 */
@Injectable()
export class ChainReader {
  constructor(
    private readonly log: EventLog,
    private readonly retry: ReadRetry,
  ) {}

  /** The current extents of chains, by name. Skips unknown names. @param chains undefined for all */
  async extents(chains?: readonly ChainName[]): Promise<ChainExtent[]> {
    const filter = chains === undefined ? {} : { _id: { $in: [...chains] as never[] } };
    const found = await bounded(this.log.heads.collection.find(filter, { sort: { _id: 1 } }).toArray());
    return found.map((head) => extentOf(head as unknown as ChainHeadDocument));
  }

  /** The current extent of one chain; undefined for an unknown name. */
  async extent(chain: ChainName): Promise<ChainExtent | undefined> {
    return (await this.extents([chain]))[0];
  }

  /**
   * Names of the chains that have events, with or without a head. Costs one short query per chain.
   *
   * @param chains undefined for all
   */
  async namesInEvents(chains?: readonly ChainName[]): Promise<ChainName[]> {
    const names: ChainName[] = [];
    const asked = chains === undefined ? {} : { $in: [...chains] };
    for (let after = ''; ;) {
      const next = { projection: { chain: 1 }, sort: { chain: 1, seq: 1 } } as const;
      const filter = { chain: { $gt: after, ...asked } };
      const found = await this.retry.run(() => this.log.events.collection.findOne(filter, next));
      if (found === null) return names;
      after = String(found['chain']);
      names.push(chainName(after));
    }
  }

  /** Whether the chain exists. The platform chain always does. */
  async exists(chain: ChainName): Promise<boolean> {
    return chain === PLATFORM_CHAIN || (await this.extent(chain)) !== undefined;
  }

  /**
   * The events of a run in ascending order, in batches. Skips missing events; the verifier detects these.
   *
   * @throws ChainArchived when events are missing because a retention deleted them
   */
  async *read({ chain, after, through }: ChainRun, batch = BATCH_SIZE): AsyncGenerator<LogEvent[], void, undefined> {
    for (let lower = after; lower < through;) {
      const upper = Math.min(lower + batch, through);
      const found = await this.retry.run(() =>
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
   * A contiguous run that contains all events of a period. At its ends it may include events from moments before or
   * after.
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
    const options = { sort, limit: MAX_OUT_OF_ORDER, projection: { seq: 1 } };
    const found = await this.retry.run(() => this.log.events.collection.find({ operationId, at }, options).toArray());
    return found.map((event) => Number(event['seq']));
  }

  private async checkNotArchived(chain: ChainName, lower: number): Promise<void> {
    const archived = (await this.extent(chain))?.start.seq ?? 0;
    if (archived > lower) throw new ChainArchived(`chain ${chain} was archived up to ${archived}`);
  }
}

function extentOf({ _id, seq, hash, archive }: ChainHeadDocument): ChainExtent {
  return {
    chain: _id,
    operationId: operationOf(_id),
    start: archive === undefined ? emptyHead(_id) : { seq: archive.throughSeq, hash: archive.hash },
    end: { seq, hash },
    archive: archive ?? null,
  };
}
