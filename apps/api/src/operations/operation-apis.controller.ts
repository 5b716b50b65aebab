import { Body, Controller, Get, Param, Patch, Put, Req, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { EditOperationApisCommand } from '#api-withdrawal';
import { GetOperationApisQuery } from '#catalogue';
import type { ExpectedVersion } from '#kernel';
import { changeApisBody } from '../credentials/credential-apis.dto.ts';
import type { ChangeApisBody } from '../credentials/credential-apis.dto.ts';
import { Roles } from '../http/access.ts';
import { ApiProblems } from '../http/api-problems.ts';
import { DryRunnable } from '../http/dry-run.ts';
import { IfMatch, withEtag } from '../http/if-match.ts';
import { callContext } from '../http/latchkey-request.ts';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';
import { operationApisAnswer, setOperationApisBody } from './operation-apis.dto.ts';
import type { SetOperationApisBody } from './operation-apis.dto.ts';

const etagRule = 'The ETag, here and in If-Match, is the operation’s.';
const withdrawal =
  'What is no longer among them is taken from every credential of the operation, one event each; their live tokens have lost it, ' +
  'on every instance, when this is answered.';

@ApiTags('Operations')
@Controller('v1/operations/:operationId/apis')
export class OperationApisController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Get()
  @Roles('platform-admin', 'operation-admin', 'auditor')
  @ApiOperation({
    summary: 'Read which APIs may be granted',
    description: `What credentials of the operation may be granted: every API, or those of a list. ${etagRule}`,
  })
  @ApiOkResponse({ description: 'What may be granted.', standardSchema: operationApisAnswer })
  @ApiProblems('not-found')
  async read(
    @Res({ passthrough: true }) reply: FastifyReply,
    @Param('operationId') operationId: string,
  ): Promise<object> {
    return withEtag(reply, await this.queries.execute(new GetOperationApisQuery(operationId)));
  }

  @Put()
  @Roles('platform-admin')
  @ApiOperation({
    summary: 'Set which APIs may be granted',
    description: `Credentials of the operation may be granted exactly these from now on. ${withdrawal} ${etagRule}`,
  })
  @DryRunnable({ description: 'What may be granted from now on.', schema: operationApisAnswer })
  @ApiProblems('unknown-api', 'not-found')
  async set(
    @Req() request: LatchkeyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Param('operationId') operationId: string,
    @IfMatch() expected: ExpectedVersion,
    @Body({ schema: setOperationApisBody }) body: SetOperationApisBody,
  ): Promise<object> {
    const edit = { set: body.mode === 'all' ? null : body.apis };
    const command = new EditOperationApisCommand(callContext(request), operationId, expected, edit);
    return withEtag(reply, await this.commands.execute(command));
  }

  @Patch()
  @Roles('platform-admin')
  @ApiOperation({
    summary: 'Add APIs that may be granted, or remove some',
    description: `All of it in one step. While every API may be granted there is no list to remove from (409). ${withdrawal} ${etagRule}`,
  })
  @DryRunnable({ description: 'What may be granted from now on.', schema: operationApisAnswer })
  @ApiProblems('unknown-api', 'not-found', 'apis-not-listed')
  async change(
    @Req() request: LatchkeyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Param('operationId') operationId: string,
    @IfMatch() expected: ExpectedVersion,
    @Body({ schema: changeApisBody }) { add = [], remove = [] }: ChangeApisBody,
  ): Promise<object> {
    const command = new EditOperationApisCommand(callContext(request), operationId, expected, { add, remove });
    return withEtag(reply, await this.commands.execute(command));
  }
}
