import type { ClientSession } from 'mongoose';
import type { Aggregate, CallContext, DomainEvent } from '#kernel';

/** One attempt of a unit of work. `pending` holds the published events, which the unit appends before the commit. */
export interface Transaction {
  readonly session: ClientSession;
  readonly context: CallContext;
  /** The store time at which this attempt began. Use it for every date that the change writes. */
  readonly at: Date;
  readonly pending: DomainEvent[];
  /** Publishes the recorded events of the aggregates through the EventBus. */
  publish(...aggregates: Aggregate[]): void;
  /** Stores the answer for a replay of the same Idempotency-Key: the body without any secret. */
  remember(result: unknown): void;
}
