import type { Readable } from 'node:stream';
import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { EVENT_LOG, EventsExported } from '#event-types';
import { PLATFORM_CHAIN, Occurrence, UnitOfWork } from '#events';
import { DomainError, DomainEvent } from '#kernel';
import type { CallContext } from '#kernel';
import { ChainReader } from '../reading/chain-reader.ts';
import { EventExport } from '../reading/event-export.ts';
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

/**
 * Writes that the log is exported, into the chain that is (the platform's when it is more than one), and only then exports it: the
 * export ends with its own event.
 */
@CommandHandler(ExportEventsCommand)
export class ExportEventsHandler implements ICommandHandler<ExportEventsCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly reader: ChainReader,
    private readonly eventExport: EventExport,
  ) {}

  async execute({ context, request }: ExportEventsCommand): Promise<Readable> {
    const { operationId: chain, format, chains, from, to } = request;
    // an event in a chain of that name would begin it
    if (chain !== undefined && !(await this.reader.exists(chain))) throw DomainError.notFound('operation');
    const told = exported(request);
    await this.unitOfWork.run(context, { chains: [told.operationId] }, (transaction) => {
      transaction.publish(new Occurrence(told));
      return Promise.resolve();
    });
    return this.eventExport.stream(format, { chains: chain === undefined ? chains : [chain], from, to });
  }
}

function exported({ operationId: chain, format, from, to }: ExportRequest): DomainEvent {
  const operationId = chain === undefined || chain === PLATFORM_CHAIN ? null : chain;
  const data = {
    format,
    operationId: chain ?? null,
    from: from?.toISOString() ?? null,
    to: to?.toISOString() ?? null,
  };
  return new EventsExported({ ...EVENT_LOG, operationId }, data);
}
