import type { Readable } from 'node:stream';
import { CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { DomainError, DomainEvent } from '#kernel';
import { PLATFORM_CHAIN } from '../chain.ts';
import { Occurrence } from '../occurrence.ts';
import { ChainReader } from '../reading/chain-reader.ts';
import { EventExport } from '../reading/event-export.ts';
import { UnitOfWork } from '../unit-of-work.ts';
import { ExportEventsCommand } from './export-events.command.ts';
import type { ExportRequest } from './export-events.command.ts';

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
  return new DomainEvent('events.exported.v1', operationId, { type: 'service', id: 'events' }, data);
}
