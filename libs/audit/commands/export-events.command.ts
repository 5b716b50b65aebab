import type { Readable } from 'node:stream';
import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { chainName, operationOf } from '#chain';
import type { ChainName } from '#chain';
import { EVENT_LOG, EventsExported } from '#event-types';
import { Occurrence, UnitOfWork } from '#events';
import { DomainError, DomainEvent } from '#kernel';
import type { CallContext } from '#kernel';
import { ChainReader } from '../reading/chain-reader.ts';
import { EventExport } from '../reading/event-export.ts';
import type { EventFilter } from '../reading/event-filter.ts';
import type { ExportFormat } from '../reading/event-lines.ts';

/** The scope of an export, for the command and its event. */
export interface ExportRequest {
  readonly format: ExportFormat;
  /** The name of the requested chain; undefined for all that the caller may see. */
  readonly operationId?: string | undefined;
  /** Names of the chains that the caller may see; undefined for all. */
  readonly chains?: readonly ChainName[] | undefined;
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
  readonly type?: string | undefined;
  readonly outcome?: EventFilter['outcome'];
  /** Id of the subject. */
  readonly subject?: string | undefined;
}

/**
 * Exports the log.
 *
 * @returns the export as text; the stream fails if it cannot be completed
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
 * Records the export in the exported chain (the platform chain if there are several) before it starts, so that the
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
    const { operationId, format, chains, ...selection } = request;
    const chain = operationId === undefined ? undefined : chainName(operationId);
    // recording the export would otherwise create a chain of that name
    if (chain !== undefined && !(await this.reader.exists(chain))) throw DomainError.notFound('operation');
    const event = exportEvent(request);
    await this.unitOfWork.run(context, { chains: [event.operationId] }, (transaction) => {
      transaction.publish(new Occurrence(event));
      return Promise.resolve();
    });
    return this.eventExport.stream(format, { ...selection, chains: chain === undefined ? chains : [chain] });
  }
}

function exportEvent({ operationId: requested, format, from, to, ...selection }: ExportRequest): DomainEvent {
  const operationId = requested === undefined ? null : operationOf(chainName(requested));
  const data = {
    format,
    operationId: requested ?? null,
    from: from?.toISOString() ?? null,
    to: to?.toISOString() ?? null,
    ...selected(selection),
  };
  return new EventsExported({ ...EVENT_LOG, operationId }, data);
}

function selected({ type, outcome, subject }: Pick<ExportRequest, 'type' | 'outcome' | 'subject'>): object {
  return Object.fromEntries(Object.entries({ type, outcome, subject }).filter(([, value]) => value !== undefined));
}
