import type { CallContext, DomainEvent } from '#kernel';

/** A domain event with who did it and when, ready to be chained. */
export interface PendingEvent {
  readonly event: DomainEvent;
  /** Whether its transaction also ends tokens that the event does not tell of. */
  readonly endsTokens?: boolean;
  readonly context: CallContext;
  readonly at: Date;
}
