import { Body, Controller, Get, HttpCode, Post, Query, Req, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ExportCheckpointsQuery, ListCheckpointsQuery, RequireChainQuery, SignCheckpointsCommand } from '#audit';
import { DomainError } from '#kernel';
import { Roles } from '../http/access.ts';
import { ApiProblems } from '../http/api-problems.ts';
import { callContext } from '../http/latchkey-request.ts';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';
import { Pages, listName } from '../http/pages.ts';
import type { Page } from '../http/pages.ts';
import {
  checkpointExport,
  checkpointPage,
  listCheckpointsQuery,
  signCheckpointsBody,
  signingAnswer,
  verifyLogQuery,
} from './events.dto.ts';
import type { ListCheckpointsParameters, SignCheckpointsBody, VerifyLogParameters } from './events.dto.ts';
import { LongReads } from './long-reads.ts';
import { requestedChain, visibleChains } from './visible-chains.ts';

@ApiTags('Events')
@Controller('v1/checkpoints')
export class CheckpointsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly pages: Pages,
    private readonly longReads: LongReads,
  ) {}

  @Get()
  @Roles('platform-admin', 'operation-admin', 'auditor')
  @ApiOperation({
    summary: 'List checkpoints',
    description:
      'Newest first. The public keys are at `/.well-known/latchkey-checkpoint-keys`. An operation-admin sees the ' +
      'checkpoints of their operations.',
  })
  @ApiOkResponse({ description: 'A page of checkpoints.', standardSchema: checkpointPage })
  @ApiProblems('not-found', 'invalid-cursor')
  async list(
    @Req() { principal }: LatchkeyRequest,
    @Query({ schema: listCheckpointsQuery }) { limit, cursor, operationId }: ListCheckpointsParameters,
  ): Promise<Page<object>> {
    const chains = visibleChains(principal, operationId);
    const list = listName('checkpoints', { operationId });
    const after = await this.pages.open(list, cursor);
    const found = await this.queries.execute(
      new ListCheckpointsQuery(requestedChain(operationId), chains, after, limit + 1),
    );
    return this.pages.page(list, found, limit, ({ id }) => id);
  }

  @Get('export')
  @Roles('platform-admin', 'operation-admin', 'auditor')
  @ApiOperation({
    summary: 'Export checkpoints',
    description:
      'All checkpoints, oldest first, as one JSON document: the input of `npx latchkey-verify --checkpoints`.',
  })
  @ApiOkResponse({ description: 'The checkpoints.', standardSchema: checkpointExport })
  @ApiProblems('not-found', 'too-many-exports')
  async export(
    @Req() request: LatchkeyRequest,
    @Res() reply: FastifyReply,
    @Query({ schema: verifyLogQuery }) { operationId }: VerifyLogParameters,
  ): Promise<void> {
    const chains = visibleChains(request.principal, operationId);
    if (request.method === 'HEAD') {
      await this.queries.execute(new RequireChainQuery(requestedChain(operationId)));
      void reply.header('content-type', 'application/json').send();
      return;
    }
    this.longReads.begin(request, reply);
    const stream = await this.queries.execute(new ExportCheckpointsQuery(requestedChain(operationId), chains));
    void reply.header('content-type', 'application/json').send(stream);
  }

  @Post()
  @HttpCode(200)
  @Roles('platform-admin', 'auditor')
  @ApiOperation({
    summary: 'Sign checkpoints now',
    description:
      'Signs the current end of each chain, after verifying it from its last checkpoint. A chain with a fault is not ' +
      'signed. The service does this every hour; do it right before an export to cover all events.',
  })
  @ApiBody({ standardSchema: signCheckpointsBody, required: false } as never)
  @ApiOkResponse({ description: 'The new checkpoints.', standardSchema: signingAnswer })
  @ApiProblems('not-found', 'signing-unavailable', 'too-many-exports')
  sign(
    @Req() request: LatchkeyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Body({ schema: signCheckpointsBody }) { operationId }: SignCheckpointsBody,
  ): Promise<object> {
    if (visibleChains(request.principal, operationId) !== undefined && operationId === undefined)
      throw namelessSigning();
    this.longReads.begin(request, reply);
    return this.commands.execute(new SignCheckpointsCommand(callContext(request), requestedChain(operationId)));
  }
}

/** All chains are more than an auditor of named operations may have signed. */
function namelessSigning(): DomainError {
  return new DomainError('forbidden', 'Name one of the operations that you audit as operationId.');
}
