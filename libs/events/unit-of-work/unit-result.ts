import type { PendingEvent } from './pending-event.ts';

/** What a unit's work comes to. */
export interface UnitResult<T> {
  readonly value: T;
  /** Events to append before the commit. */
  readonly pending: readonly PendingEvent[];
  /** Writes what was decided by where the chains were said to end. Called before the append, which fails if they do not end there. */
  readonly write?: () => Promise<void>;
}
