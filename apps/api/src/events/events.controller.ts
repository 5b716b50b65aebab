import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ExportEventsCommand, GetEventQuery, ListEventsQuery, RequireChainQuery, VerifyLogQuery } from '#audit';
import type { EventPosition, EventView } from '#audit';
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
import { LongReads } from './long-reads.ts';
import { visibleChains } from './visible-chains.ts';

@ApiTags('Events')
@Controller('v1/events')
@Roles('platform-admin', 'operation-admin', 'auditor')
export class EventsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly pages: Pages,
    private readonly longReads: LongReads,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'Read the event log',
    description:
      'Newest first. An operation-admin sees the events of their operations. Sums of refusals (`sign-in.refused.v1`) stand outside the chains: ' +
      'their `seq`, `prevHash` and `hash` are null. That the log was read is an event too, at most one for each reader and minute.',
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
      'it is a part: verify it with `--partial`. An answer that breaks off is no export: it does so when you take nothing of it for 30 seconds. ' +
      'Two exports, verifications and signings may run at a time for one person, eight on an instance, and 30 may be begun in a minute.',
  })
  @ApiOkResponse({
    description: 'The export.',
    content: {
      'application/x-ndjson': { schema: { type: 'string' } },
      'text/csv': { schema: { type: 'string' } },
    },
  })
  @ApiProblems('not-found', 'too-many-exports')
  async export(
    @Req() request: LatchkeyRequest,
    @Res() reply: FastifyReply,
    @Query({ schema: exportEventsQuery }) parameters: ExportEventsParameters,
  ): Promise<void> {
    const chains = visibleChains(request.principal, parameters.operationId);
    if (request.method === 'HEAD') {
      // RFC 9110 9.3.2: the headers alone; an export would be read from the store, and logged, for nobody
      await this.queries.execute(new RequireChainQuery(parameters.operationId));
      void reply.headers(exportHeaders(parameters)).send();
      return;
    }
    this.longReads.begin(request, reply);
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
  @ApiProblems('not-found', 'too-many-exports')
  verify(
    @Req() request: LatchkeyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Query({ schema: verifyLogQuery }) { operationId }: VerifyLogParameters,
  ): Promise<object | undefined> {
    const chains = visibleChains(request.principal, operationId);
    if (request.method === 'HEAD') return this.queries.execute(new RequireChainQuery(operationId));
    this.longReads.begin(request, reply);
    return this.queries.execute(new VerifyLogQuery(operationId, chains));
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
