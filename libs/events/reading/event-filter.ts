import type { QueryFilter } from 'mongoose';
import type { EventDocument } from '../event.schema.ts';
import { chainName } from '../chain.ts';
import type { RefusalDocument } from '../refusals.ts';
import { REFUSAL_TYPE } from './event.view.ts';

/** Which events are asked for; what is left out narrows nothing. */
export interface EventFilter {
  /** Chains by name; to everyone else's events the caller has no right. */
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
  const { chains, type, actor, subject } = filter;
  if (type === REFUSAL_TYPE) return undefined;
  return {
    ...(chains === undefined ? {} : { operationId: oneOf(chains.map(operationOf)) }),
    ...(type === undefined ? {} : { type }),
    ...(actor === undefined ? {} : { 'actor.id': actor }),
    ...(subject === undefined ? {} : { 'subject.id': subject }),
    ...timeBefore('at', '_id', filter, after),
  };
}

/** The filter's query for refusals; undefined when none of them can match. Their actor is their subject. */
export function refusalsQuery(filter: EventFilter, after?: EventPosition): QueryFilter<RefusalDocument> | undefined {
  const { chains, type, actor, subject } = filter;
  if (type !== undefined && type !== REFUSAL_TYPE) return undefined;
  if (actor !== undefined && subject !== undefined && actor !== subject) return undefined;
  const claimed = subject ?? actor;
  return {
    ...(chains === undefined ? {} : { operationId: oneOf(chains.map(operationOf)) }),
    ...(claimed === undefined ? {} : { 'subject.id': claimed }),
    ...timeBefore('minute', 'id', filter, after),
  };
}

function operationOf(chain: string): string | null {
  return chain === chainName(null) ? null : chain;
}

function oneOf<T>(values: readonly T[]): T | { $in: T[] } {
  const [only] = values;
  return values.length === 1 && only !== undefined ? only : { $in: [...values] };
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
