import { Body, Controller, Get, Post, Query, Req, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiBody, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { RequireChainQuery } from '#audit';
import { visibleOperations } from '#identity';
import { DecideAccessReviewCommand, RepeatVerdictQuery, TakeAccessReviewCommand } from '#reviews';
import { LongReads } from '../events/long-reads.ts';
import { requestedChain, visibleChains } from '../events/visible-chains.ts';
import { fileHeaders } from '../events/export-headers.ts';
import { Roles } from '../http/access.ts';
import { ApiProblems } from '../http/api-problems.ts';
import { Idempotent } from '../http/idempotency.interceptor.ts';
import { callContext } from '../http/latchkey-request.ts';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';
import { accessReviewQuery, decideReviewBody, reviewAnswer } from './reviews.dto.ts';
import type { AccessReviewParameters, DecideReviewBody } from './reviews.dto.ts';

@ApiTags('Reviews')
@Controller('v1/reviews')
@Roles('platform-admin', 'operation-admin', 'auditor')
export class ReviewsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly longReads: LongReads,
  ) {}

  @Get('access')
  @ApiOperation({
    summary: 'Take an access review',
    description:
      'Who may call what: one row for each credential and API, with addresses, owner, last use and last change. The ' +
      'last line is the seal: an event of the log that names the digest of all lines before it, and a signed ' +
      'checkpoint at this event. So the file can be verified offline, years later: `npx latchkey-verify --review FILE ' +
      '--keys keys.json`. A file without a seal is incomplete. In CSV, text that a spreadsheet would read as a formula ' +
      'begins with an apostrophe. The limits are those of the export of events.',
  })
  @ApiOkResponse({
    description: 'The file.',
    content: {
      'text/csv': { schema: { type: 'string' } },
      'application/x-ndjson': { schema: { type: 'string' } },
    },
  })
  @ApiProblems('not-found', 'too-many-exports')
  async access(
    @Req() request: LatchkeyRequest,
    @Res() reply: FastifyReply,
    @Query({ schema: accessReviewQuery }) { operationId, format }: AccessReviewParameters,
  ): Promise<void> {
    const { principal } = request;
    visibleChains(principal, operationId);
    const headers = fileHeaders(format, ['latchkey-access', operationId]);
    if (request.method === 'HEAD') {
      await this.queries.execute(new RequireChainQuery(requestedChain(operationId)));
      void reply.headers(headers).send();
      return;
    }
    this.longReads.begin(request, reply);
    const visible = principal === undefined ? [] : visibleOperations(principal);
    const command = new TakeAccessReviewCommand(callContext(request), { format, operationId, visible });
    const stream = await this.commands.execute(command);
    void reply.headers(headers).send(stream);
  }

  @Post()
  @Idempotent({ read: (first) => new RepeatVerdictQuery(first) })
  @ApiOperation({
    summary: 'Record the verdict of a review',
    description:
      'Records you as the reviewer, with the verdict and the digest of the reviewed file, in the chain that the file is ' +
      'bound to (`access-review.decided.v1`). Several people may record a verdict about one file. Find them with ' +
      '`GET /v1/events?subject={reviewId}`.',
  })
  @ApiBody({ standardSchema: decideReviewBody } as never)
  @ApiCreatedResponse({ description: 'Recorded.', standardSchema: reviewAnswer })
  @ApiProblems('not-found')
  async decide(
    @Req() request: LatchkeyRequest,
    @Body({ schema: decideReviewBody }) body: DecideReviewBody,
  ): Promise<object> {
    const chains = visibleChains(request.principal);
    const command = new DecideAccessReviewCommand(callContext(request), body, chains);
    const { version: _version, ...view } = await this.commands.execute(command);
    return view;
  }
}
