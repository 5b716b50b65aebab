import { Query, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { ChainReader, afterSummary, refusalsQuery, refusalEvent, ReadAudit } from '#audit';
import type { ChainExtent, EventView } from '#audit';
import { PLATFORM_CHAIN } from '#chain';
import type { ChainName, LogEvent } from '#chain';
import { EventsRead } from '#event-types';
import { EventLog, Refusals, toLogEvent } from '#events';
import type { EventDocument } from '#events';
import { Clock, DomainError } from '#kernel';
import type { CallContext } from '#kernel';
import { bounded } from '#mongo';
import { chainKey, followedEnd, isFollowed } from './feed-position.ts';
import type { FeedPosition, FeedScope } from './feed-position.ts';
import { mergeRuns } from './merge-runs.ts';
import type { Run } from './merge-runs.ts';

/** The maximum number of chains in one page. The others have their turn in the next pages. */
const MAX_CHAINS = 32;
const MIN_PER_CHAIN = 10;
/** A summary of refusals is final when its minute is over and every instance has written what it counted. */
const SETTLED_AFTER_MS = 120_000;

/** Events after a position, and the position after them. */
export interface FeedPage {
  readonly items: readonly EventView[];
  readonly position: FeedPosition;
}

/**
 * The next events of the chains: of each chain without a gap, in order. Across chains the earliest come first, unless
 * more than 32 chains have new events.
 *
 * @throws FeedInterrupted; DomainError `log-inconsistent`, `store-unavailable`
 */
export class ReadFeedQuery extends Query<FeedPage> {
  constructor(
    readonly context: CallContext,
    readonly scope: FeedScope,
    /** `latest`: nothing that was written before now. */
    readonly after: FeedPosition | 'latest',
    readonly limit: number,
  ) {
    super();
  }
}

/** The log no longer has the event that a position ends with. `rest` is the position from which it continues. */
export class FeedInterrupted extends Error {
  constructor(readonly rest: FeedPosition) {
    super('the log does not continue at this position');
  }
}

@QueryHandler(ReadFeedQuery)
export class ReadFeedHandler implements IQueryHandler<ReadFeedQuery> {
  constructor(
    private readonly log: EventLog,
    private readonly refusals: Refusals,
    private readonly reader: ChainReader,
    private readonly audit: ReadAudit,
    private readonly clock: Clock,
  ) {}

  async execute({ context, scope, after, limit }: ReadFeedQuery): Promise<FeedPage> {
    const all = await this.reader.extents(scope.chains);
    const extents = all.filter(({ chain }) => isFollowed(scope, chain));
    const settledTo = new Date(this.clock.nowMs() - SETTLED_AFTER_MS);
    if (after === 'latest') return { items: [], position: endOf(extents, settledTo) };
    const chained = await this.chained(extents, after, limit);
    const page =
      scope.part === undefined || scope.part.number === 1
        ? await this.withRefusals(chained, scope.chains, settledTo, limit)
        : chained;
    if (!page.items.every((event) => isOwnReading(event, context))) await this.audit.record(context, { feed: 'true' });
    return page;
  }

  private async chained(extents: readonly ChainExtent[], after: FeedPosition, limit: number): Promise<FeedPage> {
    const broken = extents.filter((extent) => !continues(extent, after));
    if (broken.length > 0) throw new FeedInterrupted(withoutEnds(after, broken));
    const behind = extents.filter(({ chain, end }) => end.seq > (after.ends.get(chainKey(chain))?.seq ?? 0));
    const chosen = inTurn(behind, after.turn).slice(0, MAX_CHAINS);
    const each = Math.min(limit, Math.max(MIN_PER_CHAIN, Math.ceil((2 * limit) / chosen.length)));
    const runs = await Promise.all(chosen.map((extent) => this.run(extent, after, each)));
    const items = mergeRuns(runs, limit);
    const ends = new Map(after.ends);
    for (const event of items) ends.set(keyOf(event), followedEnd(event));
    const last = chosen.at(-1);
    return {
      items,
      position: { ...after, ends, turn: last === undefined ? after.turn : chainKey(last.chain) },
    };
  }

  /** The next events of a chain. Also reads the last one that was received, to see that it is still the same. */
  private async run({ chain, start, end }: ChainExtent, after: FeedPosition, limit: number): Promise<Run> {
    const received = after.ends.get(chainKey(chain));
    const from = Math.max(received?.seq ?? 0, start.seq);
    const through = Math.min(from + limit, end.seq);
    const found = await bounded(
      this.log.events.collection.find({ chain, seq: { $gte: from, $lte: through } }, { sort: { seq: 1 } }).toArray(),
    );
    const events = found.map((event) => toLogEvent(event as unknown as EventDocument));
    const first = events[0];
    if (first?.seq === from) {
      if (received !== undefined && followedEnd(first).mark !== received.mark) {
        throw new FeedInterrupted(withoutEnds(after, [{ chain }]));
      }
      events.shift();
    }
    requireContiguous(events, from, through);
    return { events, hasMore: through < end.seq };
  }

  private async withRefusals(
    { items, position }: FeedPage,
    chains: readonly ChainName[] | undefined,
    to: Date,
    limit: number,
  ): Promise<FeedPage> {
    const left = limit - items.length;
    if (left === 0) return { items, position };
    const { refusals: last } = position;
    const rest = last === undefined ? {} : afterSummary(last.minute, last.id);
    const query = this.refusals.model.find({ $and: [refusalsQuery({ chains, to }) ?? {}, rest] });
    const found = await bounded(query.sort({ minute: 1, id: 1 }).limit(left).lean().exec());
    const final = found.at(-1);
    if (final === undefined) return { items, position };
    return {
      items: [...items, ...found.map(refusalEvent)],
      position: { ...position, refusals: { minute: final.minute, id: final.id } },
    };
  }
}

function keyOf({ operationId }: LogEvent): string {
  return chainKey((operationId ?? PLATFORM_CHAIN) as ChainName);
}

/** Whether the chain still has the event that the follower received last, as far as its ends tell. */
function continues({ chain, start, end }: ChainExtent, { ends }: FeedPosition): boolean {
  const received = ends.get(chainKey(chain));
  if (received === undefined) return true;
  if (received.seq < start.seq || received.seq > end.seq) return false;
  const known = [start, end].find(({ seq }) => seq === received.seq);
  return known === undefined || followedEnd(known).mark === received.mark;
}

/** The position with these chains from their beginning. */
function withoutEnds(position: FeedPosition, chains: readonly Pick<ChainExtent, 'chain'>[]): FeedPosition {
  const dropped = new Set(chains.map(({ chain }) => chainKey(chain)));
  return { ...position, ends: new Map([...position.ends].filter(([key]) => !dropped.has(key))) };
}

function endOf(extents: readonly ChainExtent[], settledTo: Date): FeedPosition {
  const ends = new Map(extents.map(({ chain, end }) => [chainKey(chain), followedEnd(end)]));
  return { ends, turn: '', refusals: { minute: settledTo, id: '~' } };
}

/** Those after the chain that was read last come first. */
function inTurn(extents: readonly ChainExtent[], turn: string): ChainExtent[] {
  const keyed = extents.map((extent) => ({ extent, key: chainKey(extent.chain) }));
  const rank = (key: string): string => (key > turn ? '0' : '1') + key;
  return keyed.sort((a, b) => (rank(a.key) < rank(b.key) ? -1 : 1)).map(({ extent }) => extent);
}

/** @throws DomainError `log-inconsistent` rather than passing over a missing event */
function requireContiguous(events: readonly LogEvent[], after: number, through: number): void {
  if (events.length === through - after && events.every(({ seq }, index) => seq === after + index + 1)) return;
  throw new DomainError('log-inconsistent', 'Events are missing in the log. Run GET /v1/events/verify to see where.');
}

/** Whether the event only says that this person read the log: following it would otherwise never come to rest. */
function isOwnReading({ type, actor }: EventView, context: CallContext): boolean {
  return type === EventsRead.type && actor.id === context.actor.id;
}
