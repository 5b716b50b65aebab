import { Controller, Delete, Get, HttpCode, Param, Req } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { EndTokensCommand, ListTokensQuery } from '#credentials';
import { Roles } from '../http/access.ts';
import { ApiProblems } from '../http/api-problems.ts';
import { DryRunnable } from '../http/dry-run.ts';
import { callContext } from '../http/latchkey-request.ts';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';
import { tokenListAnswer } from './credential-tokens.dto.ts';
import type { TokenPath } from './credential-tokens.dto.ts';
import type { CredentialPath } from './credentials.dto.ts';

@ApiTags('Live tokens')
@Controller('v1/operations/:operationId/credentials/:credentialId/tokens')
export class CredentialTokensController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Get()
  @Roles('platform-admin', 'operation-admin', 'auditor')
  @ApiOperation({
    summary: 'List live tokens',
    description:
      'Those of the credential, oldest first; at most ten. Never the tokens themselves: they are stored nowhere.',
  })
  @ApiOkResponse({ description: 'The live tokens.', standardSchema: tokenListAnswer })
  @ApiProblems('not-found')
  async list(@Param() { operationId, credentialId }: CredentialPath): Promise<object> {
    return { items: await this.queries.execute(new ListTokensQuery(operationId, credentialId)) };
  }

  @Delete()
  @Roles('platform-admin', 'operation-admin')
  @HttpCode(204)
  @ApiOperation({
    summary: 'End all tokens',
    description: 'They are worthless, on every instance, when this is answered. The credential stays good.',
  })
  @ApiNoContentResponse({ description: 'No token that was live is good any more.' })
  @DryRunnable()
  @ApiProblems('not-found')
  async endAll(@Req() request: LatchkeyRequest, @Param() { operationId, credentialId }: CredentialPath): Promise<void> {
    await this.commands.execute(new EndTokensCommand(callContext(request), operationId, credentialId));
  }

  @Delete(':tokenId')
  @Roles('platform-admin', 'operation-admin')
  @HttpCode(204)
  @ApiOperation({
    summary: 'End a token',
    description:
      'It is worthless, on every instance, when this is answered. Its id is that of the list of live tokens.',
  })
  @ApiNoContentResponse({ description: 'The token is no good any more.' })
  @DryRunnable()
  @ApiProblems('not-found')
  async endOne(
    @Req() request: LatchkeyRequest,
    @Param() { operationId, credentialId, tokenId }: TokenPath,
  ): Promise<void> {
    await this.commands.execute(new EndTokensCommand(callContext(request), operationId, credentialId, tokenId));
  }
}
