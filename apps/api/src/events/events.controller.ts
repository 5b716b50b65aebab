import { Controller, Get, Param, Query, Req } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { GetEventQuery, ListEventsQuery } from '#events';
import type { EventPosition, EventView } from '#events';
import { Roles } from '../http/access.ts';
import { ApiProblems } from '../http/api-errors.ts';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';
import { Pages, listName } from '../http/pages.ts';
import type { Page } from '../http/pages.ts';
import { eventAnswer, eventPage, listEventsQuery } from './events.dto.ts';
import type { ListEventsParameters } from './events.dto.ts';
import { visibleChains } from './visible-chains.ts';

@ApiTags('Events')
@Controller('v1/events')
export class EventsController {
  constructor(
    private readonly queries: QueryBus,
    private readonly pages: Pages,
  ) {}

  @Get()
  @Roles('platform-admin', 'operation-admin', 'auditor')
  @ApiOperation({
    summary: 'Read the event log',
    description: 'Newest first. An operation-admin sees the events of their operations.',
  })
  @ApiOkResponse({ description: 'A page of events.', standardSchema: eventPage })
  @ApiProblems('not-found', 'invalid-cursor')
  async list(
    @Req() { principal }: LatchkeyRequest,
    @Query({ schema: listEventsQuery }) parameters: ListEventsParameters,
  ): Promise<Page<EventView>> {
    const { limit, cursor, operationId, type, actor, subject, from, to } = parameters;
    const chains = visibleChains(principal, operationId);
    const texts = { operationId, type, actor, subject, from: from?.toISOString(), to: to?.toISOString() };
    const list = listName('events', texts);
    const after = positionOf(await this.pages.open(list, cursor));
    const filter = { chains, type, actor, subject, from, to };
    const found = await this.queries.execute(new ListEventsQuery(filter, after, limit + 1));
    return this.pages.page(list, found, limit, ({ at, id }) => `${at} ${id}`);
  }

  @Get(':eventId')
  @Roles('platform-admin', 'operation-admin', 'auditor')
  @ApiOperation({ summary: 'Read an event', description: 'One event of the log.' })
  @ApiOkResponse({ description: 'The event.', standardSchema: eventAnswer })
  @ApiProblems('not-found')
  read(@Req() { principal }: LatchkeyRequest, @Param('eventId') eventId: string): Promise<EventView> {
    return this.queries.execute(new GetEventQuery(eventId, visibleChains(principal)));
  }
}

function positionOf(after: string | undefined): EventPosition | undefined {
  const [at, id] = after?.split(' ') ?? [];
  return at === undefined || id === undefined ? undefined : { at: new Date(at), id };
}
