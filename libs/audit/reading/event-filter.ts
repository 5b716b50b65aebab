import type { QueryFilter } from 'mongoose';
import { chainName, operationOf } from '#chain';
import type { ChainName } from '#chain';
import type { EventDocument, RefusalDocument } from '#events';
import { REFUSAL_TYPE } from './event-view.ts';

/** A filter for events. An undefined member does not restrict it. */
export interface EventFilter {
  /** The name of the requested chain. */
  readonly operationId?: string | undefined;
  /** Names of the chains that the caller may see. */
  readonly chains?: readonly ChainName[] | undefined;
  readonly type?: string | undefined;
  /** Id of the actor. */
  readonly actor?: string | undefined;
  /** Id of the subject. */
  readonly subject?: string | undefined;
  readonly outcome?: EventDocument['outcome'] | undefined;
  /** Inclusive. */
  readonly from?: Date | undefined;
  /** Exclusive. */
  readonly to?: Date | undefined;
}

/** The last event of the previous page, in a list from the newest to the oldest. */
export interface EventPosition {
  readonly at: Date;
  readonly id: string;
}

/** The query for events in chains; undefined when no event can match. */
export function eventsQuery(filter: EventFilter, after?: EventPosition): QueryFilter<EventDocument> | undefined {
  const { type, actor, subject, outcome = 'success' } = filter;
  // an event in a chain records what was done, so each is a success
  if (type === REFUSAL_TYPE || outcome !== 'success') return undefined;
  return {
    ...ofChains(filter),
    ...(type === undefined ? {} : { type }),
    ...(actor === undefined ? {} : { 'actor.id': actor }),
    ...(subject === undefined ? {} : { 'subject.id': subject }),
    ...timeBefore('at', '_id', filter, after),
  };
}

/** The query for refusals; undefined when no refusal can match. The actor of a refusal is its subject. */
export function refusalsQuery(filter: EventFilter, after?: EventPosition): QueryFilter<RefusalDocument> | undefined {
  const { type, actor, subject, outcome = 'refused' } = filter;
  if ((type !== undefined && type !== REFUSAL_TYPE) || outcome !== 'refused') return undefined;
  if (actor !== undefined && subject !== undefined && actor !== subject) return undefined;
  const claimed = subject ?? actor;
  return {
    ...ofChains(filter),
    ...(claimed === undefined ? {} : { 'subject.id': claimed }),
    ...timeBefore('minute', 'id', filter, after),
  };
}

/** The filter in the form in which the event of the read records it. */
export function readFilter({
  operationId,
  type,
  actor,
  subject,
  outcome,
  from,
  to,
}: EventFilter): Record<string, string> {
  const given = { operationId, type, actor, subject, outcome, from: from?.toISOString(), to: to?.toISOString() };
  return Object.fromEntries(Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** The query for the refusals after one. The condition on the minute alone lets an index serve it. */
export function afterSummary(minute: Date, id: string): QueryFilter<RefusalDocument> {
  return { minute: { $gte: minute }, $or: [{ minute: { $gt: minute } }, { minute, id: { $gt: id } }] };
}

/** Restricts a query to the requested chain, if the caller may see it, or to all that the caller may see. */
function ofChains({ operationId, chains }: EventFilter): { operationId?: string | null | { $in: (string | null)[] } } {
  if (operationId !== undefined) {
    const chain = chainName(operationId);
    return { operationId: chains?.includes(chain) === false ? { $in: [] } : operationOf(chain) };
  }
  return chains === undefined ? {} : { operationId: { $in: chains.map(operationOf) } };
}

/** The separate condition on the time lets an index serve the query; the `$or` only orders within one millisecond. */
function timeBefore(atName: string, idName: string, { from, to }: EventFilter, after?: EventPosition): object {
  const bounds = {
    ...(from === undefined ? {} : { $gte: from }),
    ...(to === undefined ? {} : { $lt: to }),
    ...(after === undefined ? {} : { $lte: after.at }),
  };
  return {
    ...(Object.keys(bounds).length === 0 ? {} : { [atName]: bounds }),
    ...(after === undefined
      ? {}
      : { $or: [{ [atName]: { $lt: after.at } }, { [atName]: after.at, [idName]: { $lt: after.id } }] }),
  };
}
