import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Req, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import {
  ApiBody,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { CreateOperationCommand, DeleteOperationCommand, GetOperationQuery, ListOperationsQuery } from '#catalogue';
import { EditOperationCommand } from '#credentials';
import { visibleOperations } from '#identity';
import type { ExpectedVersion } from '#kernel';
import { Roles } from '../http/access.ts';
import { ApiProblems } from '../http/api-problems.ts';
import { DryRunnable } from '../http/dry-run.ts';
import { Idempotent } from '../http/idempotency.interceptor.ts';
import { IfMatch, withEtag } from '../http/if-match.ts';
import { callContext } from '../http/latchkey-request.ts';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';
import { Pages, listName } from '../http/pages.ts';
import {
  createOperationBody,
  editOperationBody,
  listOperationsQuery,
  operationAnswer,
  operationPage,
} from './operations.dto.ts';
import type { CreateOperationBody, EditOperationBody, ListOperationsParameters } from './operations.dto.ts';

@ApiTags('Operations')
@Controller('v1/operations')
export class OperationsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly pages: Pages,
  ) {}

  @Post()
  @Roles('platform-admin')
  @Idempotent({ read: ({ id }) => new GetOperationQuery(String(id)) })
  @ApiOperation({
    summary: 'Create an operation',
    description: 'An operation holds up to ten credentials.',
  })
  @ApiCreatedResponse({ description: 'Created.', standardSchema: operationAnswer })
  @ApiProblems('name-taken')
  async create(
    @Req() request: LatchkeyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Body({ schema: createOperationBody }) body: CreateOperationBody,
  ): Promise<object> {
    const command = new CreateOperationCommand(callContext(request), body.name, body.requireAllowedIps);
    const view = await this.commands.execute(command);
    reply.header('location', `/v1/operations/${view.id}`);
    return withEtag(reply, view);
  }

  @Get()
  @Roles('platform-admin', 'operation-admin', 'auditor')
  @ApiOperation({ summary: 'List operations', description: 'Those that you may see, oldest first.' })
  @ApiOkResponse({ description: 'A page of operations.', standardSchema: operationPage })
  @ApiProblems('invalid-cursor')
  async list(
    @Req() request: LatchkeyRequest,
    @Query({ schema: listOperationsQuery }) { limit, cursor, name }: ListOperationsParameters,
  ): Promise<object> {
    const { principal } = request;
    const list = listName('operations', { name });
    const ids = principal === undefined ? [] : visibleOperations(principal);
    const found = await this.queries.execute(
      new ListOperationsQuery({ ids, name }, await this.pages.open(list, cursor), limit + 1),
    );
    const page = await this.pages.page(list, found, limit, (view) => view.id);
    return { ...page, items: page.items.map(({ version: _version, ...body }) => body) };
  }

  @Get(':operationId')
  @Roles('platform-admin', 'operation-admin', 'auditor')
  @ApiOperation({ summary: 'Read an operation', description: 'Its ETag is what a change needs as If-Match.' })
  @ApiOkResponse({ description: 'The operation.', standardSchema: operationAnswer })
  @ApiProblems('not-found')
  async read(
    @Res({ passthrough: true }) reply: FastifyReply,
    @Param('operationId') operationId: string,
  ): Promise<object> {
    return withEtag(reply, await this.queries.execute(new GetOperationQuery(operationId)));
  }

  @Patch(':operationId')
  @Roles('platform-admin')
  @ApiBody({ standardSchema: editOperationBody } as never)
  @ApiOperation({
    summary: 'Change an operation',
    description:
      'Members that are left out stay as they are. A new rule that existing credentials break is refused (409 `policy-violated`, ' +
      'with `violations`), unless `enforce` is `new`: then it applies to what is written from now on. Suspension, and everything ' +
      'else that takes a right away, is in force on every instance when this is answered.',
  })
  @DryRunnable({ description: 'The operation as it is now.', schema: operationAnswer })
  @ApiProblems('not-found', 'name-taken', 'policy-violated')
  async edit(
    @Req() request: LatchkeyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Param('operationId') operationId: string,
    @IfMatch() expected: ExpectedVersion,
    @Body({ schema: editOperationBody }) { enforce, ...changes }: EditOperationBody,
  ): Promise<object> {
    const context = callContext(request);
    const command = new EditOperationCommand(context, operationId, expected, changes, enforce === 'new');
    return withEtag(reply, await this.commands.execute(command));
  }

  @Delete(':operationId')
  @Roles('platform-admin')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Delete an operation',
    description: 'Only when it holds no credential. Its events stay in the log.',
  })
  @ApiNoContentResponse({ description: 'Deleted.' })
  @ApiProblems('not-found', 'operation-not-empty')
  async delete(
    @Req() request: LatchkeyRequest,
    @Param('operationId') operationId: string,
    @IfMatch() expected: ExpectedVersion,
  ): Promise<void> {
    await this.commands.execute(new DeleteOperationCommand(callContext(request), operationId, expected));
  }
}
