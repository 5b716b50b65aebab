import { Controller, Delete, Get, HttpCode, Param, Req, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { EndSecretCommand, GetCredentialQuery } from '#credentials';
import { listSecrets } from '#kernel';
import type { ExpectedVersion } from '#kernel';
import { Roles } from '../http/access.ts';
import { ApiProblems } from '../http/api-problems.ts';
import { DryRunnable } from '../http/dry-run.ts';
import { IfMatch, withEtag } from '../http/if-match.ts';
import { callContext } from '../http/latchkey-request.ts';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';
import { secretListAnswer } from '../http/secret-fields.ts';
import type { CredentialPath, SecretPath } from './credentials.dto.ts';

@ApiTags('Credentials')
@Controller('v1/operations/:operationId/credentials/:credentialId/secrets')
export class CredentialSecretsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Get()
  @Roles('platform-admin', 'operation-admin', 'auditor')
  @ApiOperation({
    summary: 'List live secrets',
    description: 'At most two, the current one first. Never the secrets themselves. The ETag is the credential’s.',
  })
  @ApiOkResponse({ description: 'The live secrets.', standardSchema: secretListAnswer })
  @ApiProblems('not-found')
  async list(
    @Res({ passthrough: true }) reply: FastifyReply,
    @Param() { operationId, credentialId }: CredentialPath,
  ): Promise<object> {
    const { secrets, version } = await this.queries.execute(new GetCredentialQuery(operationId, credentialId));
    return withEtag(reply, { items: listSecrets(secrets), version });
  }

  @Delete(':secretId')
  @Roles('platform-admin', 'operation-admin')
  @HttpCode(204)
  @ApiOperation({
    summary: 'End a secret',
    description:
      'It is refused, on every instance, when this is answered. Live tokens stay; to end those too, rotate with `compromised: true`. ' +
      'The announced end of the other secret stays. The last live secret cannot be ended. The ETag in If-Match is the credential’s.',
  })
  @ApiNoContentResponse({ description: 'The secret is no longer valid.' })
  @DryRunnable()
  @ApiProblems('not-found', 'last-secret')
  async end(
    @Req() request: LatchkeyRequest,
    @Param() { operationId, credentialId, secretId }: SecretPath,
    @IfMatch() expected: ExpectedVersion,
  ): Promise<void> {
    const target = { operationId, credentialId, expected };
    await this.commands.execute(new EndSecretCommand(callContext(request), target, secretId));
  }
}
