import { Query, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { DomainError } from '#kernel';
import { bounded } from '#mongo';
import { EventLog, toLogEvent } from '../event-log.ts';
import { Refusals } from '../refusals.ts';
import { eventsQuery, refusalsQuery } from './event.filter.ts';
import type { EventFilter, EventPosition } from './event.filter.ts';
import { refusalEvent } from './event.view.ts';
import type { EventView } from './event.view.ts';

/** One event. @throws DomainError `not-found`, also when it is of none of the chains that the caller may see */
export class GetEventQuery extends Query<EventView> {
  /** @param chains those that the caller may see; all when left out */
  constructor(
    readonly eventId: string,
    readonly chains?: readonly string[],
  ) {
    super();
  }
}

@QueryHandler(GetEventQuery)
export class GetEventHandler implements IQueryHandler<GetEventQuery> {
  constructor(
    private readonly log: EventLog,
    private readonly refusals: Refusals,
  ) {}

  async execute({ eventId, chains }: GetEventQuery): Promise<EventView> {
    const filter = chains === undefined ? {} : { chains };
    const query = eventsQuery(filter);
    const stored = await bounded(
      this.log.events
        .findOne({ ...query, _id: eventId })
        .lean()
        .exec(),
    );
    if (stored !== null) return toLogEvent(stored);
    const refused = await bounded(
      this.refusals.model
        .findOne({ ...refusalsQuery(filter), id: eventId })
        .lean()
        .exec(),
    );
    if (refused === null) throw DomainError.notFound('event');
    return refusalEvent(refused);
  }
}

/** A page of events, newest first. */
export class ListEventsQuery extends Query<EventView[]> {
  constructor(
    readonly filter: EventFilter,
    readonly after: EventPosition | undefined,
    readonly limit: number,
  ) {
    super();
  }
}

/** Events in chains and sums of refusals are kept apart, since only the former are append-only: here they are one list. */
@QueryHandler(ListEventsQuery)
export class ListEventsHandler implements IQueryHandler<ListEventsQuery> {
  constructor(
    private readonly log: EventLog,
    private readonly refusals: Refusals,
  ) {}

  async execute(query: ListEventsQuery): Promise<EventView[]> {
    const [events, refusals] = await Promise.all([this.chained(query), this.refused(query)]);
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

// all times have one form and length: as strings they sort by time
function newestFirst(a: EventView, b: EventView): number {
  if (a.at !== b.at) return a.at < b.at ? 1 : -1;
  return a.id < b.id ? 1 : -1;
}
