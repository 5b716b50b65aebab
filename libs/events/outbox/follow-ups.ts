import { eventCatalogue } from '#event-types';
import type { FollowUpQueue } from '#event-types';

/** The queue for the follow-up work of an event, by event type. The event's transaction writes the outbox row. */
export const followUps: ReadonlyMap<string, FollowUpQueue> = new Map(
  eventCatalogue.flatMap(({ type, followUp }) => (followUp === undefined ? [] : [[type, followUp] as const])),
);
