import type { ClientSession } from 'mongoose';
import type { Aggregate, CallContext, DomainEvent } from '#kernel';

/** One run of a unit of work. `pending` holds the events published so far; the unit appends them before it commits. */
export interface Transaction {
  readonly session: ClientSession;
  readonly context: CallContext;
  /** Store time at which this run began; every date that the change writes. */
  readonly at: Date;
  readonly pending: DomainEvent[];
  /** Publishes, through the EventBus, what the aggregates recorded. */
  publish(...aggregates: Aggregate[]): void;
  /** What a replay of the same Idempotency-Key is to answer: the answer's body, without any secret. */
  remember(result: unknown): void;
}
