import { Body, Controller, Delete, Get, Param, Patch, Put, Req, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { EditCredentialCommand, FindCredentialFaultsQuery, GetApiListQuery } from '#credentials';
import type { ExpectedVersion } from '#kernel';
import { Roles } from '../http/access.ts';
import { AllFaults } from '../http/all-faults.interceptor.ts';
import type { ReadableParts } from '../http/all-faults.interceptor.ts';
import { ApiProblems } from '../http/api-problems.ts';
import { DryRunnable } from '../http/dry-run.ts';
import { IfMatch, withEtag } from '../http/if-match.ts';
import { callContext } from '../http/latchkey-request.ts';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';
import { apiListAnswer, changeApisBody, setApisBody } from './credential-apis.dto.ts';
import type { ChangeApisBody, SetApisBody } from './credential-apis.dto.ts';
import type { CredentialPath } from './credentials.dto.ts';

const etagRule = 'The ETag, here and in If-Match, is the credential’s.';

@ApiTags('API List')
@Controller('v1/operations/:operationId/credentials/:credentialId/apis')
export class CredentialApisController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Get()
  @Roles('platform-admin', 'operation-admin', 'auditor')
  @ApiOperation({
    summary: 'Read the API List',
    description: `What the credential may call, marked as added, and every API that may be added to it. ${etagRule}`,
  })
  @ApiOkResponse({ description: 'The API List.', standardSchema: apiListAnswer })
  @ApiProblems('not-found')
  async read(
    @Res({ passthrough: true }) reply: FastifyReply,
    @Param() { operationId, credentialId }: CredentialPath,
  ): Promise<object> {
    return withEtag(reply, await this.queries.execute(new GetApiListQuery(operationId, credentialId)));
  }

  @Put()
  @Roles('platform-admin', 'operation-admin')
  @AllFaults(setApisBody, findFaults)
  @ApiOperation({
    summary: 'Set the added APIs',
    description: `The credential may call exactly these from now on; its live tokens lose what is not among them. ${etagRule}`,
  })
  @DryRunnable({ description: 'The API List as it is now.', schema: apiListAnswer })
  @ApiProblems('unknown-api', 'api-not-entitled', 'not-found')
  async set(
    @Req() request: LatchkeyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Param() path: CredentialPath,
    @IfMatch() expected: ExpectedVersion,
    @Body({ schema: setApisBody }) { apis }: SetApisBody,
  ): Promise<object> {
    const target = { ...pathOf(path), expected };
    await this.commands.execute(new EditCredentialCommand(callContext(request), target, { set: { apis } }));
    return this.read(reply, path);
  }

  @Patch()
  @Roles('platform-admin', 'operation-admin')
  @AllFaults(changeApisBody, findFaults)
  @ApiOperation({
    summary: 'Take APIs away or add some',
    description:
      'In one step. An API that the credential already has, or does not have, stays as it is. A key that is not in the catalogue is ' +
      `refused, also in \`remove\`. ${etagRule}`,
  })
  @DryRunnable({ description: 'The API List as it is now.', schema: apiListAnswer })
  @ApiProblems('unknown-api', 'api-not-entitled', 'not-found')
  async change(
    @Req() request: LatchkeyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Param() path: CredentialPath,
    @IfMatch() expected: ExpectedVersion,
    @Body({ schema: changeApisBody }) { add, remove }: ChangeApisBody,
  ): Promise<object> {
    const edit = { addApis: add ?? [], removeApis: remove ?? [] };
    const target = { ...pathOf(path), expected };
    await this.commands.execute(new EditCredentialCommand(callContext(request), target, edit));
    return this.read(reply, path);
  }

  @Delete()
  @Roles('platform-admin', 'operation-admin')
  @ApiOperation({
    summary: 'Unselect all APIs',
    description: `The credential may call nothing from now on, and gets no token until an API is added. ${etagRule}`,
  })
  @DryRunnable({ description: 'The API List with nothing added.', schema: apiListAnswer })
  @ApiProblems('not-found')
  async unselectAll(
    @Req() request: LatchkeyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Param() path: CredentialPath,
    @IfMatch() expected: ExpectedVersion,
  ): Promise<object> {
    const target = { ...pathOf(path), expected };
    await this.commands.execute(new EditCredentialCommand(callContext(request), target, { set: { apis: [] } }));
    return this.read(reply, path);
  }
}

function findFaults({ operationId, keys }: ReadableParts<object>): FindCredentialFaultsQuery {
  return new FindCredentialFaultsQuery(operationId, keys, {});
}

function pathOf({ operationId, credentialId }: CredentialPath): CredentialPath {
  return { operationId, credentialId };
}
