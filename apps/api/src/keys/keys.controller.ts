import { Body, Controller, Delete, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { CreateApiKeyCommand, DeleteApiKeyCommand, GetApiKeyQuery, ListApiKeysQuery } from '#identity';
import type { ExpectedVersion } from '#kernel';
import { Roles } from '../http/access.ts';
import { ApiProblems } from '../http/api-problems.ts';
import { Idempotent } from '../http/idempotency.interceptor.ts';
import { OptionalIfMatch, withEtag } from '../http/if-match.ts';
import { callContext } from '../http/latchkey-request.ts';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';
import { withSecret } from '../http/secret-fields.ts';
import { createKeyBody, keyAnswer, keyCreatedAnswer, keyList, keyReplayedAnswer } from './keys.dto.ts';
import type { CreateKeyBody } from './keys.dto.ts';

@ApiTags('Users')
@Controller('v1/users/:userId/keys')
export class KeysController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Post()
  @Roles('platform-admin')
  @Idempotent({
    read: ({ userId, id }) => new GetApiKeyQuery(String(userId), String(id)),
    secretMember: 'apiKey',
  })
  @ApiOperation({
    summary: 'Create an API key',
    description:
      'For a service user, which has at most two. Answers with `apiKey`, this once: it is stored nowhere. Sent as `Authorization: Bearer` it ' +
      'signs the service user in to the calls under `/v1`.',
  })
  @ApiCreatedResponse({ description: 'Created.', standardSchema: keyCreatedAnswer })
  @ApiOkResponse({
    description: 'A replay: the same `Idempotency-Key` and body had made it before. The key cannot be repeated.',
    standardSchema: keyReplayedAnswer,
  })
  @ApiProblems('not-found', 'not-a-service', 'api-key-limit')
  async create(
    @Req() request: LatchkeyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Param('userId') userId: string,
    @Body({ schema: createKeyBody }) body: CreateKeyBody,
  ): Promise<object> {
    const command = new CreateApiKeyCommand(callContext(request), userId, body);
    const { apiKey, ...view } = await this.commands.execute(command);
    reply.header('location', `/v1/users/${userId}/keys/${view.id}`);
    return withSecret(withEtag(reply, view), 'apiKey', apiKey);
  }

  @Get()
  @Roles('platform-admin', 'auditor')
  @ApiOperation({ summary: 'List API keys', description: 'Those of one service user; never the keys themselves.' })
  @ApiOkResponse({ description: 'The keys.', standardSchema: keyList })
  @ApiProblems('not-found')
  async list(@Param('userId') userId: string): Promise<{ items: object[] }> {
    const found = await this.queries.execute(new ListApiKeysQuery(userId));
    return { items: found.map(({ version: _version, ...key }) => key) };
  }

  @Get(':keyId')
  @Roles('platform-admin', 'auditor')
  @ApiOperation({ summary: 'Read an API key', description: 'What is kept of it; never the key itself.' })
  @ApiOkResponse({ description: 'The key.', standardSchema: keyAnswer })
  @ApiProblems('not-found')
  async read(
    @Res({ passthrough: true }) reply: FastifyReply,
    @Param('userId') userId: string,
    @Param('keyId') keyId: string,
  ): Promise<object> {
    return withEtag(reply, await this.queries.execute(new GetApiKeyQuery(userId, keyId)));
  }

  @Delete(':keyId')
  @Roles('platform-admin')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Delete an API key',
    description: 'It signs nobody in any more, on any instance, from the moment this is answered.',
  })
  @ApiNoContentResponse({ description: 'Deleted.' })
  @ApiProblems('not-found')
  async delete(
    @Req() request: LatchkeyRequest,
    @Param('userId') userId: string,
    @Param('keyId') keyId: string,
    @OptionalIfMatch() expected: ExpectedVersion,
  ): Promise<void> {
    await this.commands.execute(new DeleteApiKeyCommand(callContext(request), userId, keyId, expected));
  }
}
