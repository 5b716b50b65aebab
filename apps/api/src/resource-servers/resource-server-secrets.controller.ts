import { Controller, Delete, Get, HttpCode, Param, Req, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { EndResourceServerSecretCommand, GetResourceServerQuery } from '#catalogue';
import { listSecrets } from '#kernel';
import type { ExpectedVersion } from '#kernel';
import { Roles } from '../http/access.ts';
import { ApiProblems } from '../http/api-problems.ts';
import { IfMatch, withEtag } from '../http/if-match.ts';
import { callContext } from '../http/latchkey-request.ts';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';
import { secretListAnswer } from '../http/secret-fields.ts';

@ApiTags('Resource servers')
@Controller('v1/resource-servers/:resourceServerId/secrets')
export class ResourceServerSecretsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Get()
  @Roles('platform-admin', 'auditor')
  @ApiOperation({
    summary: 'List live secrets of a resource server',
    description:
      'At most two, the current one first, without the secrets themselves. The ETag is that of the resource server.',
  })
  @ApiOkResponse({ description: 'The live secrets.', standardSchema: secretListAnswer })
  @ApiProblems('not-found')
  async list(
    @Res({ passthrough: true }) reply: FastifyReply,
    @Param('resourceServerId') resourceServerId: string,
  ): Promise<object> {
    const { secrets, version } = await this.queries.execute(new GetResourceServerQuery(resourceServerId));
    return withEtag(reply, { items: listSecrets(secrets), version });
  }

  @Delete(':secretId')
  @Roles('platform-admin')
  @HttpCode(204)
  @ApiOperation({
    summary: 'End a secret of a resource server',
    description:
      'Once this is answered, every instance refuses the secret. The expiry of the other secret does not change. The ' +
      'last live secret cannot be ended. If-Match takes the ETag of the resource server.',
  })
  @ApiNoContentResponse({ description: 'The secret is no longer valid.' })
  @ApiProblems('not-found', 'last-secret')
  async end(
    @Req() request: LatchkeyRequest,
    @Param('resourceServerId') resourceServerId: string,
    @Param('secretId') secretId: string,
    @IfMatch() expected: ExpectedVersion,
  ): Promise<void> {
    const context = callContext(request);
    await this.commands.execute(new EndResourceServerSecretCommand(context, resourceServerId, expected, secretId));
  }
}
