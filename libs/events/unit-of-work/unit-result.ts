import type { PendingEvent } from './pending-event.ts';

/** The result of the work of a unit. */
export interface UnitResult<T> {
  readonly value: T;
  /** Events to append before the commit. */
  readonly pending: readonly PendingEvent[];
  /**
   * Writes that depend on the given chain heads. Called before the append, which fails if the heads are out of date.
   */
  readonly write?: () => Promise<void>;
}
