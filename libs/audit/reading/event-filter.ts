import type { QueryFilter } from 'mongoose';
import { PLATFORM_CHAIN } from '#events';
import type { EventDocument, RefusalDocument } from '#events';
import { REFUSAL_TYPE } from './event-view.ts';

/** Which events are asked for; what is left out narrows nothing. */
export interface EventFilter {
  /** The one chain that was asked for, by name. */
  readonly operationId?: string | undefined;
  /** Names of the chains that the caller may see. */
  readonly chains?: readonly string[] | undefined;
  readonly type?: string | undefined;
  /** Id of who did it. */
  readonly actor?: string | undefined;
  /** Id of what it was done to. */
  readonly subject?: string | undefined;
  /** From this time on. */
  readonly from?: Date | undefined;
  /** Before this time. */
  readonly to?: Date | undefined;
}

/** Where a page of a list that goes from the newest to the oldest begins: after this event. */
export interface EventPosition {
  readonly at: Date;
  readonly id: string;
}

/** The filter's query for events in chains; undefined when none of them can match. */
export function eventsQuery(filter: EventFilter, after?: EventPosition): QueryFilter<EventDocument> | undefined {
  const { type, actor, subject } = filter;
  if (type === REFUSAL_TYPE) return undefined;
  return {
    ...ofChains(filter),
    ...(type === undefined ? {} : { type }),
    ...(actor === undefined ? {} : { 'actor.id': actor }),
    ...(subject === undefined ? {} : { 'subject.id': subject }),
    ...timeBefore('at', '_id', filter, after),
  };
}

/** The filter's query for refusals; undefined when none of them can match. Their actor is their subject. */
export function refusalsQuery(filter: EventFilter, after?: EventPosition): QueryFilter<RefusalDocument> | undefined {
  const { type, actor, subject } = filter;
  if (type !== undefined && type !== REFUSAL_TYPE) return undefined;
  if (actor !== undefined && subject !== undefined && actor !== subject) return undefined;
  const claimed = subject ?? actor;
  return {
    ...ofChains(filter),
    ...(claimed === undefined ? {} : { 'subject.id': claimed }),
    ...timeBefore('minute', 'id', filter, after),
  };
}

/** What the filter asks for, as the event of its reading tells it. */
export function readFilter({ operationId, type, actor, subject, from, to }: EventFilter): Record<string, string> {
  const given = { operationId, type, actor, subject, from: from?.toISOString(), to: to?.toISOString() };
  return Object.fromEntries(Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** The chain that was asked for, if the caller may see it; else all that the caller may see. */
function ofChains({ operationId, chains }: EventFilter): { operationId?: string | null | { $in: (string | null)[] } } {
  if (operationId !== undefined && chains?.includes(operationId) !== false) {
    return { operationId: operationOf(operationId) };
  }
  if (operationId !== undefined) return { operationId: { $in: [] } };
  return chains === undefined ? {} : { operationId: { $in: chains.map(operationOf) } };
}

function operationOf(chain: string): string | null {
  return chain === PLATFORM_CHAIN ? null : chain;
}

/** The bound on the time stands by itself, so that an index serves it; the rest only settles one millisecond. */
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
