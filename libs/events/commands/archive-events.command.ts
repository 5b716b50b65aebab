import { Command } from '@nestjs/cqrs';

/** What a retention did. */
export interface RetentionReport {
  /** Events that were archived and dropped from the store. */
  readonly archived: number;
  /** Sums of refusals, the same. */
  readonly refusals: number;
}

/**
 * Archives what the policy no longer keeps, and drops it from the store; nothing without a policy.
 *
 * @throws Error when a chain could not be archived; the others were
 */
export class ArchiveEventsCommand extends Command<RetentionReport> {}
