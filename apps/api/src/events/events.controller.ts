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
import { requestedChain, visibleChains } from './visible-chains.ts';

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
      'Newest first. An operation-admin sees the events of their operations. Summed-up refusals (`sign-in.refused.v1`) ' +
      'are outside the chains: their `seq`, `prevHash` and `hash` are null. Reading the log is an event too, at most ' +
      'one per reader and minute.',
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
      'Oldest first, in the format of docs/event-log-format.md. The export is itself an event, `events.exported.v1`, ' +
      'and ends with it. With `from` or `to` it is a part: verify it with `--partial`. With `type`, `outcome` or ' +
      '`subject` it is a selection, which cannot be verified. The connection is closed if you ' +
      'read nothing for 30 seconds; an incomplete answer is not an export. Limits for exports, verifications and ' +
      'signings together: two at a time per person, eight per instance, and 30 started per minute.',
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
      // RFC 9110 9.3.2: only headers, so do not read and log an export that nobody receives
      await this.queries.execute(new RequireChainQuery(requestedChain(parameters.operationId)));
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
      'Reads all stored events of the chains, and checks them against each other and the signed checkpoints. This is ' +
      'the service’s own claim: to verify it independently, export the log and use `npx latchkey-verify`.',
  })
  @ApiOkResponse({ description: 'The result for each chain.', standardSchema: logProofAnswer })
  @ApiProblems('not-found', 'too-many-exports')
  verify(
    @Req() request: LatchkeyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Query({ schema: verifyLogQuery }) { operationId }: VerifyLogParameters,
  ): Promise<object | undefined> {
    const chains = visibleChains(request.principal, operationId);
    if (request.method === 'HEAD') return this.queries.execute(new RequireChainQuery(requestedChain(operationId)));
    this.longReads.begin(request, reply);
    return this.queries.execute(new VerifyLogQuery(requestedChain(operationId), chains));
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
