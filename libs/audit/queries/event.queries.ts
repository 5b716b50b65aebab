import { Query, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { chainName } from '#chain';
import type { ChainName } from '#chain';
import { EventLog, Refusals, toLogEvent } from '#events';
import { DomainError } from '#kernel';
import type { CallContext } from '#kernel';
import { bounded } from '#mongo';
import { ChainReader } from '../reading/chain-reader.ts';
import { ReadAudit } from '../reading/read-audit.ts';
import { refusalEvent } from '../reading/event-view.ts';
import type { EventView } from '../reading/event-view.ts';
import { eventsQuery, readFilter, refusalsQuery } from '../reading/event-filter.ts';
import type { EventFilter, EventPosition } from '../reading/event-filter.ts';

/** One event. @throws DomainError `not-found`, also for an event of a chain that the caller may not see */
export class GetEventQuery extends Query<EventView> {
  /** @param chains the chains that the caller may see; undefined for all */
  constructor(
    readonly context: CallContext,
    readonly eventId: string,
    readonly chains?: readonly ChainName[],
  ) {
    super();
  }
}

@QueryHandler(GetEventQuery)
export class GetEventHandler implements IQueryHandler<GetEventQuery> {
  constructor(
    private readonly log: EventLog,
    private readonly refusals: Refusals,
    private readonly audit: ReadAudit,
  ) {}

  async execute({ context, eventId, chains }: GetEventQuery): Promise<EventView> {
    const view = await this.find(eventId, { chains });
    if (view === undefined) throw DomainError.notFound('event');
    await this.audit.record(context, { eventId });
    return view;
  }

  private async find(eventId: string, filter: EventFilter): Promise<EventView | undefined> {
    const { events } = this.log;
    const stored = await bounded(
      events
        .findOne({ ...eventsQuery(filter), _id: eventId })
        .lean()
        .exec(),
    );
    if (stored !== null) return toLogEvent(stored);
    const { model } = this.refusals;
    const refused = await bounded(
      model
        .findOne({ ...refusalsQuery(filter), id: eventId })
        .lean()
        .exec(),
    );
    return refused === null ? undefined : refusalEvent(refused);
  }
}

/** A page of events, newest first. @throws DomainError `not-found` when the requested chain does not exist */
export class ListEventsQuery extends Query<EventView[]> {
  constructor(
    readonly context: CallContext,
    readonly filter: EventFilter,
    readonly after: EventPosition | undefined,
    readonly limit: number,
  ) {
    super();
  }
}

/** Merges events and refusal summaries, which are stored separately because only events are append-only. */
@QueryHandler(ListEventsQuery)
export class ListEventsHandler implements IQueryHandler<ListEventsQuery> {
  constructor(
    private readonly log: EventLog,
    private readonly refusals: Refusals,
    private readonly reader: ChainReader,
    private readonly audit: ReadAudit,
  ) {}

  async execute(query: ListEventsQuery): Promise<EventView[]> {
    const { operationId } = query.filter;
    if (operationId !== undefined && !(await this.reader.exists(chainName(operationId))))
      throw DomainError.notFound('operation');
    const [events, refusals] = await Promise.all([this.chained(query), this.refused(query)]);
    await this.audit.record(query.context, readFilter(query.filter));
    return [...events, ...refusals].sort(newestFirst).slice(0, query.limit);
  }

  private async chained({ filter, after, limit }: ListEventsQuery): Promise<EventView[]> {
    const query = eventsQuery(filter, after);
    if (query === undefined) return [];
    const found = this.log.events.find(query).sort({ at: -1, _id: -1 }).limit(limit).lean();
    return (await bounded(found.exec())).map(toLogEvent);
  }

  private async refused({ filter, after, limit }: ListEventsQuery): Promise<EventView[]> {
    const query = refusalsQuery(filter, after);
    if (query === undefined) return [];
    const found = this.refusals.model.find(query).sort({ minute: -1, id: -1 }).limit(limit).lean();
    return (await bounded(found.exec())).map(refusalEvent);
  }
}

// all times have the same form and length, so strings sort by time
function newestFirst(a: EventView, b: EventView): number {
  if (a.at !== b.at) return a.at < b.at ? 1 : -1;
  return a.id < b.id ? 1 : -1;
}
