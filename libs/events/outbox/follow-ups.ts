import { eventCatalogue } from '#event-types';
import type { FollowUpQueue } from '#event-types';

/** The queue of the work that must follow an event, by type. Its name is stored with the outbox row, in the event's transaction. */
export const followUps: ReadonlyMap<string, FollowUpQueue> = new Map(
  eventCatalogue.flatMap(({ type, followUp }) => (followUp === undefined ? [] : [[type, followUp] as const])),
);
