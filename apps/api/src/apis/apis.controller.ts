import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Req, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import {
  ApiAcceptedResponse,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { RemoveApiCommand } from '#api-withdrawal';
import { CreateApiCommand, EditApiCommand, GetApiQuery, ListApisQuery } from '#catalogue';
import type { ExpectedVersion } from '#kernel';
import { Roles } from '../http/access.ts';
import { ApiProblems } from '../http/api-problems.ts';
import { DryRunnable } from '../http/dry-run.ts';
import { Idempotent } from '../http/idempotency.interceptor.ts';
import { IfMatch, withEtag } from '../http/if-match.ts';
import { callContext } from '../http/latchkey-request.ts';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';
import { Pages, listName } from '../http/pages.ts';
import type { Page } from '../http/pages.ts';
import { apiAnswer, apiPage, createApiBody, deleteApiQuery, editApiBody, listApisQuery } from './apis.dto.ts';
import type { CreateApiBody, DeleteApiParameters, EditApiBody, ListApisParameters } from './apis.dto.ts';

/** When to look again for a removal that continues, in seconds. */
const LOOK_AGAIN_SECONDS = 1;

@ApiTags('APIs')
@Controller('v1/apis')
export class ApisController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly pages: Pages,
  ) {}

  @Post()
  @Roles('platform-admin')
  @Idempotent({ read: ({ key }) => new GetApiQuery(String(key)) })
  @ApiOperation({
    summary: 'Add an API to the catalogue',
    description: 'The key is the scope value that grants the API. It never changes.',
  })
  @ApiCreatedResponse({ description: 'Added.', standardSchema: apiAnswer })
  @ApiProblems('key-taken')
  async create(
    @Req() request: LatchkeyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Body({ schema: createApiBody }) { key, name, description }: CreateApiBody,
  ): Promise<object> {
    const view = await this.commands.execute(new CreateApiCommand(callContext(request), key, name, description));
    reply.header('location', `/v1/apis/${view.key}`);
    return withEtag(reply, view);
  }

  @Get()
  @Roles('platform-admin', 'operation-admin', 'auditor')
  @ApiOperation({ summary: 'List the catalogue', description: 'All APIs, sorted by key.' })
  @ApiOkResponse({ description: 'A page of APIs.', standardSchema: apiPage })
  @ApiProblems('invalid-cursor')
  async list(@Query({ schema: listApisQuery }) { limit, cursor }: ListApisParameters): Promise<Page<object>> {
    const list = listName('apis', {});
    const found = await this.queries.execute(new ListApisQuery(await this.pages.open(list, cursor), limit + 1));
    const page = await this.pages.page(list, found, limit, (view) => view.key);
    return { ...page, items: page.items.map(({ version: _version, ...body }) => body) };
  }

  @Get(':apiKey')
  @Roles('platform-admin', 'operation-admin', 'auditor')
  @ApiOperation({ summary: 'Read an API', description: 'Send its ETag as If-Match with a change.' })
  @ApiOkResponse({ description: 'The API.', standardSchema: apiAnswer })
  @ApiProblems('not-found')
  async read(@Res({ passthrough: true }) reply: FastifyReply, @Param('apiKey') apiKey: string): Promise<object> {
    return withEtag(reply, await this.queries.execute(new GetApiQuery(apiKey)));
  }

  @Patch(':apiKey')
  @Roles('platform-admin')
  @ApiOperation({
    summary: 'Change an API',
    description: 'Changes name or description. Omitted members stay unchanged.',
  })
  @ApiOkResponse({ description: 'The changed API.', standardSchema: apiAnswer })
  @ApiProblems('not-found', 'api-being-removed')
  async edit(
    @Req() request: LatchkeyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Param('apiKey') apiKey: string,
    @IfMatch() expected: ExpectedVersion,
    @Body({ schema: editApiBody }) body: EditApiBody,
  ): Promise<object> {
    const command = new EditApiCommand(callContext(request), apiKey, expected, body);
    return withEtag(reply, await this.commands.execute(command));
  }

  @Delete(':apiKey')
  @Roles('platform-admin')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Delete an API',
    description:
      'Refused while a credential or resource server names it, unless `force=true`: then it is removed from all of ' +
      'them, with one event each. Once 204 is answered, no token grants the API any more. If the removal takes longer ' +
      'than a request (from about a thousand credentials), the answer is 202 and the service continues, also after a ' +
      'restart: the API can no longer be granted, and `removal` shows the progress. The removal is in force everywhere ' +
      'once `GET /v1/apis/{apiKey}` is 404; repeating the DELETE also waits for it.',
  })
  @ApiNoContentResponse({ description: 'Removed on every instance.' })
  @DryRunnable()
  @ApiAcceptedResponse({
    description: 'The removal continues: tokens may still grant the API. `removal` shows the progress.',
    standardSchema: apiAnswer,
    headers: { 'Retry-After': { description: 'When to check again, in seconds.', schema: { type: 'integer' } } },
  })
  @ApiProblems('not-found', 'api-in-use')
  async delete(
    @Req() request: LatchkeyRequest,
    @Param('apiKey') apiKey: string,
    @IfMatch() expected: ExpectedVersion,
    @Query({ schema: deleteApiQuery }) { force }: DeleteApiParameters,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object | undefined> {
    const left = await this.commands.execute(new RemoveApiCommand(callContext(request), apiKey, expected, force));
    if (left === undefined) return undefined;
    reply.code(202).header('retry-after', LOOK_AGAIN_SECONDS).header('location', `/v1/apis/${apiKey}`);
    return withEtag(reply, left);
  }
}
