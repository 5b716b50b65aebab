import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Req, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import {
  CreateUserCommand,
  DeleteUserCommand,
  EditUserCommand,
  EndSessionsCommand,
  GetUserQuery,
  ListUsersQuery,
} from '#identity';
import type { ExpectedVersion } from '#kernel';
import { Roles } from '../http/access.ts';
import { ApiProblems } from '../http/api-problems.ts';
import { Idempotent } from '../http/idempotency.interceptor.ts';
import { IfMatch, withEtag } from '../http/if-match.ts';
import { callContext } from '../http/latchkey-request.ts';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';
import { Pages, listName } from '../http/pages.ts';
import type { Page } from '../http/pages.ts';
import { createUserBody, editUserBody, listUsersQuery, userAnswer, userPage } from './users.dto.ts';
import type { CreateUserBody, EditUserBody, ListUsersParameters } from './users.dto.ts';

@ApiTags('Users')
@Controller('v1/users')
export class UsersController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly pages: Pages,
  ) {}

  @Post()
  @Roles('platform-admin')
  @Idempotent({ read: ({ id }) => new GetUserQuery(String(id)) })
  @ApiOperation({
    summary: 'Create a user',
    description:
      'A `person` signs in with a password, which is kept only as a hash and never answered. A `service` user, for automation, has API ' +
      'keys instead. People of the OpenID Connect provider are not created here: they appear with their first sign-in.',
  })
  @ApiCreatedResponse({ description: 'Created.', standardSchema: userAnswer })
  @ApiProblems('name-taken', 'weak-password')
  async create(
    @Req() request: LatchkeyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Body({ schema: createUserBody }) body: CreateUserBody,
  ): Promise<object> {
    const view = await this.commands.execute(new CreateUserCommand(callContext(request), body));
    reply.header('location', `/v1/users/${view.id}`);
    return withEtag(reply, view);
  }

  @Get()
  @Roles('platform-admin', 'auditor')
  @ApiOperation({
    summary: 'List users',
    description:
      'People and service users, oldest first; people of the OpenID Connect provider from their first sign-in on.',
  })
  @ApiOkResponse({ description: 'A page of users.', standardSchema: userPage })
  @ApiProblems('invalid-cursor')
  async list(@Query({ schema: listUsersQuery }) { limit, cursor }: ListUsersParameters): Promise<Page<object>> {
    const list = listName('users', {});
    const found = await this.queries.execute(new ListUsersQuery(await this.pages.open(list, cursor), limit + 1));
    const page = await this.pages.page(list, found, limit, (view) => view.id);
    return { ...page, items: page.items.map(({ version: _version, ...body }) => body) };
  }

  @Get(':userId')
  @Roles('platform-admin', 'auditor')
  @ApiOperation({ summary: 'Read a user', description: 'Its ETag is what a change needs as If-Match.' })
  @ApiOkResponse({ description: 'The user.', standardSchema: userAnswer })
  @ApiProblems('not-found')
  async read(@Res({ passthrough: true }) reply: FastifyReply, @Param('userId') userId: string): Promise<object> {
    return withEtag(reply, await this.queries.execute(new GetUserQuery(userId)));
  }

  @Patch(':userId')
  @Roles('platform-admin')
  @ApiOperation({
    summary: 'Change a user',
    description:
      'In force from the next request on. `disabled` keeps the user out, with sessions, bearer tokens and API keys alike. The last enabled ' +
      'platform-admin has to stay one. Name, roles and operations of a person of the OpenID Connect provider are changed there.',
  })
  @ApiOkResponse({ description: 'The user as it is now.', standardSchema: userAnswer })
  @ApiProblems(
    'not-found',
    'name-taken',
    'weak-password',
    'last-platform-admin',
    'managed-by-provider',
    'no-local-password',
  )
  async edit(
    @Req() request: LatchkeyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Param('userId') userId: string,
    @IfMatch() expected: ExpectedVersion,
    @Body({ schema: editUserBody }) body: EditUserBody,
  ): Promise<object> {
    const command = new EditUserCommand(callContext(request), userId, expected, body);
    return withEtag(reply, await this.commands.execute(command));
  }

  @Delete(':userId/sessions')
  @Roles('platform-admin')
  @HttpCode(204)
  @ApiOperation({
    summary: 'End a user’s sessions',
    description:
      'Signs the person out of every browser, from the next request on. They may sign in again. Needs no If-Match.',
  })
  @ApiNoContentResponse({ description: 'All have ended.' })
  @ApiProblems('not-found')
  async endSessions(@Req() request: LatchkeyRequest, @Param('userId') userId: string): Promise<void> {
    await this.commands.execute(new EndSessionsCommand(callContext(request), userId, undefined, 'ended-by-admin'));
  }

  @Delete(':userId')
  @Roles('platform-admin')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Delete a user',
    description:
      'In force from the next request on. The last enabled platform-admin cannot be deleted. A person of the OpenID Connect provider ' +
      'appears again with the next sign-in: disable instead.',
  })
  @ApiNoContentResponse({ description: 'Deleted.' })
  @ApiProblems('not-found', 'last-platform-admin')
  async delete(
    @Req() request: LatchkeyRequest,
    @Param('userId') userId: string,
    @IfMatch() expected: ExpectedVersion,
  ): Promise<void> {
    await this.commands.execute(new DeleteUserCommand(callContext(request), userId, expected));
  }
}
