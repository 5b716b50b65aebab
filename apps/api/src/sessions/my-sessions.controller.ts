import { Controller, Delete, Get, HttpCode, Param, Req, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { EndSessionsCommand, ListSessionsQuery } from '#identity';
import { SignedIn } from '../http/access.ts';
import { ApiProblems } from '../http/api-problems.ts';
import { callContext } from '../http/latchkey-request.ts';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';
import { SessionCookie } from '../http/session-cookie.ts';
import { sessionList } from './sessions.dto.ts';

@ApiTags('Sign-in')
@Controller('v1/me/sessions')
@SignedIn()
export class MySessionsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly cookie: SessionCookie,
  ) {}

  @Get()
  @ApiOperation({ summary: 'List your sessions', description: 'Where you are signed in, the last used session first.' })
  @ApiOkResponse({ description: 'Your live sessions.', standardSchema: sessionList })
  async list(@Req() request: LatchkeyRequest): Promise<{ items: object[] }> {
    const { actor } = callContext(request);
    const current = request.principal?.session?.id;
    const found = await this.queries.execute(new ListSessionsQuery(actor.id));
    return { items: found.map((session) => ({ ...session, current: session.id === current })) };
  }

  @Delete(':sessionId')
  @HttpCode(204)
  @ApiOperation({
    summary: 'End one of your sessions',
    description: 'It is over, on every instance, from the moment this is answered. Needs no If-Match.',
  })
  @ApiNoContentResponse({ description: 'It has ended.' })
  @ApiProblems('not-found')
  async end(
    @Req() request: LatchkeyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Param('sessionId') sessionId: string,
  ): Promise<void> {
    const context = callContext(request);
    await this.commands.execute(new EndSessionsCommand(context, context.actor.id, sessionId, 'ended'));
    if (sessionId === request.principal?.session?.id) reply.header('set-cookie', this.cookie.clear());
  }
}
