/** The queue of the work that must follow an event. Its name is stored with the outbox row, in the event's transaction. */
export const followUps: Readonly<Record<string, FollowUpQueue>> = {
  'credential.deleted.v1': 'token-purge',
};

/** A queue that takes follow-up work. */
export type FollowUpQueue = 'token-purge';
