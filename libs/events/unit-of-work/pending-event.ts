import type { CallContext, DomainEvent } from '#kernel';

/** A domain event with actor and time, ready to be appended. */
export interface PendingEvent {
  readonly event: DomainEvent;
  /** Whether its transaction also ends tokens that the event does not name. */
  readonly endsTokens?: boolean;
  readonly context: CallContext;
  readonly at: Date;
}
