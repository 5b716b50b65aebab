import type { Readable } from 'node:stream';
import { Command } from '@nestjs/cqrs';
import type { CallContext } from '#kernel';
import type { ExportFormat } from '../reading/event-lines.ts';

/** What to export, for the command and for its event. */
export interface ExportRequest {
  readonly format: ExportFormat;
  /** The one chain that was asked for, by name; all that the caller may see when left out. */
  readonly operationId?: string | undefined;
  /** Names of the chains that the caller may see; all when left out. */
  readonly chains?: readonly string[] | undefined;
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
}

/**
 * Exports the log.
 *
 * @returns the export as text; it ends with an error where it could not be completed
 * @throws DomainError `not-found` for a chain that does not exist, `store-unavailable`
 */
export class ExportEventsCommand extends Command<Readable> {
  constructor(
    readonly context: CallContext,
    readonly request: ExportRequest,
  ) {
    super();
  }
}
