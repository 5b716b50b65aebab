import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ExportEventsCommand, GetEventQuery, ListEventsQuery, VerifyLogQuery } from '#events';
import type { EventPosition, EventView } from '#events';
import { digest } from '#kernel';
import { Roles } from '../http/access.ts';
import { ApiProblems } from '../http/api-problems.ts';
import { callContext } from '../http/latchkey-request.ts';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';
import { Pages, listName } from '../http/pages.ts';
import type { Page } from '../http/pages.ts';
import {
  eventAnswer,
  eventPage,
  exportEventsQuery,
  listEventsQuery,
  logProofAnswer,
  verifyLogQuery,
} from './events.dto.ts';
import type { ExportEventsParameters, ListEventsParameters, VerifyLogParameters } from './events.dto.ts';
import { exportHeaders } from './export-headers.ts';
import { visibleChains } from './visible-chains.ts';

@ApiTags('Events')
@Controller('v1/events')
@Roles('platform-admin', 'operation-admin', 'auditor')
export class EventsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly pages: Pages,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'Read the event log',
    description:
      'Newest first. An operation-admin sees the events of their operations. Sums of refusals (`sign-in.refused.v1`) stand outside the chains: ' +
      'their `seq`, `prevHash` and `hash` are null. That the log was read is an event too: one for each reader, filter and minute.',
  })
  @ApiOkResponse({ description: 'A page of events.', standardSchema: eventPage })
  @ApiProblems('not-found', 'invalid-cursor')
  async list(
    @Req() request: LatchkeyRequest,
    @Query({ schema: listEventsQuery }) { limit, cursor, ...filter }: ListEventsParameters,
  ): Promise<Page<EventView>> {
    const chains = visibleChains(request.principal, filter.operationId);
    const times = { from: filter.from?.toISOString(), to: filter.to?.toISOString() };
    const list = digest(listName('events', { ...filter, ...times })); // filters may be longer than a cursor
    const after = positionOf(await this.pages.open(list, cursor));
    const query = new ListEventsQuery(callContext(request), { ...filter, chains }, after, limit + 1);
    const found = await this.queries.execute(query);
    return this.pages.page(list, found, limit, ({ at, id }) => `${at} ${id}`);
  }

  @Get('export')
  @ApiOperation({
    summary: 'Export the event log',
    description:
      'Oldest first, as docs/event-log-format.md has it. The export is an event itself, `events.exported.v1`, which it ends with. With `from` or `to` ' +
      'it is a part: verify it with `--partial`. An answer that breaks off is no export.',
  })
  @ApiOkResponse({
    description: 'The export.',
    content: {
      'application/x-ndjson': { schema: { type: 'string' } },
      'text/csv': { schema: { type: 'string' } },
    },
  })
  @ApiProblems('not-found')
  async export(
    @Req() request: LatchkeyRequest,
    @Res() reply: FastifyReply,
    @Query({ schema: exportEventsQuery }) parameters: ExportEventsParameters,
  ): Promise<void> {
    const chains = visibleChains(request.principal, parameters.operationId);
    const command = new ExportEventsCommand(callContext(request), { ...parameters, chains });
    const stream = await this.commands.execute(command);
    void reply.headers(exportHeaders(parameters)).send(stream);
  }

  @Get('verify')
  @ApiOperation({
    summary: 'Verify the event log',
    description:
      'Reads every event of the chains as they are stored, and checks them against each other and against the signed checkpoints. ' +
      'That is the service’s own word: to verify without trusting it, export the log and use `npx latchkey-verify`.',
  })
  @ApiOkResponse({ description: 'What is known of each chain.', standardSchema: logProofAnswer })
  @ApiProblems('not-found')
  verify(
    @Req() { principal }: LatchkeyRequest,
    @Query({ schema: verifyLogQuery }) { operationId }: VerifyLogParameters,
  ): Promise<object> {
    return this.queries.execute(new VerifyLogQuery(operationId, visibleChains(principal, operationId)));
  }

  @Get(':eventId')
  @ApiOperation({ summary: 'Read an event', description: 'One event of the log.' })
  @ApiOkResponse({ description: 'The event.', standardSchema: eventAnswer })
  @ApiProblems('not-found')
  read(@Req() request: LatchkeyRequest, @Param('eventId') eventId: string): Promise<EventView> {
    return this.queries.execute(new GetEventQuery(callContext(request), eventId, visibleChains(request.principal)));
  }
}

function positionOf(after: string | undefined): EventPosition | undefined {
  const [at, id] = after?.split(' ') ?? [];
  return at === undefined || id === undefined ? undefined : { at: new Date(at), id };
}
