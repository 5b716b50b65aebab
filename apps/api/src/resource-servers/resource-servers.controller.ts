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
import {
  CreateResourceServerCommand,
  DeleteResourceServerCommand,
  EditResourceServerCommand,
  FindUnknownApisQuery,
  GetResourceServerQuery,
  ListResourceServersQuery,
  RotateResourceServerSecretCommand,
} from '#catalogue';
import type { ExpectedVersion } from '#kernel';
import { Roles } from '../http/access.ts';
import { AllFaults } from '../http/all-faults.interceptor.ts';
import type { ReadableParts } from '../http/all-faults.interceptor.ts';
import { ApiProblems } from '../http/api-problems.ts';
import { Idempotent } from '../http/idempotency.interceptor.ts';
import type { FirstAnswer } from '../http/idempotency.interceptor.ts';
import { IfMatch, OptionalIfMatch, withEtag } from '../http/if-match.ts';
import { callContext } from '../http/latchkey-request.ts';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';
import { Pages, listName } from '../http/pages.ts';
import type { Page } from '../http/pages.ts';
import { withSecret } from '../http/secret-fields.ts';
import {
  createResourceServerBody,
  editResourceServerBody,
  listResourceServersQuery,
  resourceServerAnswer,
  resourceServerPage,
  resourceServerReplay,
  resourceServerWithSecret,
  rotateResourceServerSecretBody,
  rotatedResourceServer,
} from './resource-servers.dto.ts';
import type {
  CreateResourceServerBody,
  EditResourceServerBody,
  ListResourceServersParameters,
  RotateResourceServerSecretBody,
} from './resource-servers.dto.ts';

@ApiTags('Resource servers')
@Controller('v1/resource-servers')
export class ResourceServersController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly pages: Pages,
  ) {}

  @Post()
  @Roles('platform-admin')
  @Idempotent({ read: readAgain, secretMember: 'resourceServerSecret' })
  @AllFaults(createResourceServerBody, findFaults)
  @ApiOperation({
    summary: 'Register a resource server',
    description:
      'Returns `resourceServerSecret` only once, because it is not stored. Use it with the `id` as user name for HTTP ' +
      'Basic at introspection and forward-auth.',
  })
  @ApiCreatedResponse({ description: 'Registered.', standardSchema: resourceServerWithSecret })
  @ApiOkResponse({
    description: 'A replay of a request with the same `Idempotency-Key` and body. The secret cannot be repeated.',
    standardSchema: resourceServerReplay,
  })
  @ApiProblems('unknown-api', 'name-taken')
  async create(
    @Req() request: LatchkeyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Body({ schema: createResourceServerBody }) body: CreateResourceServerBody,
  ): Promise<object> {
    const command = new CreateResourceServerCommand(callContext(request), body);
    const { resourceServerSecret, ...view } = await this.commands.execute(command);
    reply.header('location', `/v1/resource-servers/${view.id}`);
    return withSecret(withEtag(reply, view), 'resourceServerSecret', resourceServerSecret);
  }

  @Get()
  @Roles('platform-admin', 'auditor')
  @ApiOperation({ summary: 'List resource servers', description: 'All resource servers, oldest first.' })
  @ApiOkResponse({ description: 'A page of resource servers.', standardSchema: resourceServerPage })
  @ApiProblems('invalid-cursor')
  async list(
    @Query({ schema: listResourceServersQuery }) { limit, cursor }: ListResourceServersParameters,
  ): Promise<Page<object>> {
    const list = listName('resource-servers', {});
    const after = await this.pages.open(list, cursor);
    const found = await this.queries.execute(new ListResourceServersQuery(after, limit + 1));
    const page = await this.pages.page(list, found, limit, (view) => view.id);
    return { ...page, items: page.items.map(({ version: _version, ...body }) => body) };
  }

  @Get(':resourceServerId')
  @Roles('platform-admin', 'auditor')
  @ApiOperation({ summary: 'Read a resource server', description: 'Send its ETag as If-Match with a change.' })
  @ApiOkResponse({ description: 'The resource server.', standardSchema: resourceServerAnswer })
  @ApiProblems('not-found')
  async read(
    @Res({ passthrough: true }) reply: FastifyReply,
    @Param('resourceServerId') resourceServerId: string,
  ): Promise<object> {
    return withEtag(reply, await this.queries.execute(new GetResourceServerQuery(resourceServerId)));
  }

  @Patch(':resourceServerId')
  @Roles('platform-admin')
  @AllFaults(editResourceServerBody, findFaults)
  @ApiOperation({
    summary: 'Change a resource server',
    description: 'Once this is answered, the change is in force on every instance.',
  })
  @ApiOkResponse({ description: 'The changed resource server.', standardSchema: resourceServerAnswer })
  @ApiProblems('not-found', 'unknown-api', 'name-taken')
  async edit(
    @Req() request: LatchkeyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Param('resourceServerId') resourceServerId: string,
    @IfMatch() expected: ExpectedVersion,
    @Body({ schema: editResourceServerBody }) body: EditResourceServerBody,
  ): Promise<object> {
    const command = new EditResourceServerCommand(callContext(request), resourceServerId, expected, body);
    return withEtag(reply, await this.commands.execute(command));
  }

  @Delete(':resourceServerId')
  @Roles('platform-admin')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Delete a resource server',
    description: 'Once this is answered, every instance refuses it.',
  })
  @ApiNoContentResponse({ description: 'Deleted.' })
  @ApiProblems('not-found')
  async delete(
    @Req() request: LatchkeyRequest,
    @Param('resourceServerId') resourceServerId: string,
    @IfMatch() expected: ExpectedVersion,
  ): Promise<void> {
    await this.commands.execute(new DeleteResourceServerCommand(callContext(request), resourceServerId, expected));
  }

  @Post(':resourceServerId/rotate-secret')
  @Roles('platform-admin')
  @HttpCode(200)
  @Idempotent({ read: readAgain, secretMember: 'resourceServerSecret', altersRights: true })
  @ApiBody({ standardSchema: rotateResourceServerSecretBody, required: false } as never)
  @ApiOperation({
    summary: 'Rotate the secret of a resource server',
    description:
      'Returns the new `resourceServerSecret` only once. The old secret stays valid for `overlapSeconds`. At most two ' +
      'secrets are live: during an overlap, a rotation is refused (409, with both secrets and their last use) unless ' +
      '`endOldest` ends the older one. `compromised` ends every older secret immediately. If-Match is optional. A ' +
      'replay with the same `Idempotency-Key` rotates nothing and has `resourceServerSecret: null` and a `notice`.',
  })
  @ApiOkResponse({
    description: 'The resource server and its new secret; for a replay `resourceServerSecret: null` and a `notice`.',
    standardSchema: rotatedResourceServer,
  })
  @ApiProblems('not-found', 'rotation-in-progress')
  async rotateSecret(
    @Req() request: LatchkeyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Param('resourceServerId') resourceServerId: string,
    @OptionalIfMatch() expected: ExpectedVersion,
    @Body({ schema: rotateResourceServerSecretBody }) rotation: RotateResourceServerSecretBody,
  ): Promise<object> {
    const context = callContext(request);
    const command = new RotateResourceServerSecretCommand(context, resourceServerId, expected, rotation);
    const { resourceServerSecret, ...view } = await this.commands.execute(command);
    return withSecret(withEtag(reply, view), 'resourceServerSecret', resourceServerSecret);
  }
}

function findFaults({ keys }: ReadableParts<object>): FindUnknownApisQuery {
  return new FindUnknownApisQuery(keys['apis'] ?? []);
}

function readAgain({ id }: FirstAnswer): GetResourceServerQuery {
  return new GetResourceServerQuery(String(id));
}
