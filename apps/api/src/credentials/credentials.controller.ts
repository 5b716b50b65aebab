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
  CreateCredentialCommand,
  DeleteCredentialCommand,
  EditCredentialCommand,
  FindCredentialFaultsQuery,
  GetCredentialQuery,
  ListCredentialsQuery,
  RotateSecretCommand,
} from '#credentials';
import type { ExpectedVersion } from '#kernel';
import { Roles } from '../http/access.ts';
import { AllFaults } from '../http/all-faults.interceptor.ts';
import type { ReadableParts } from '../http/all-faults.interceptor.ts';
import { ApiProblems } from '../http/api-problems.ts';
import { DryRunnable } from '../http/dry-run.ts';
import { Idempotent } from '../http/idempotency.interceptor.ts';
import type { FirstAnswer } from '../http/idempotency.interceptor.ts';
import { IfMatch, OptionalIfMatch, withEtag } from '../http/if-match.ts';
import { callContext } from '../http/latchkey-request.ts';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';
import { Pages, listName } from '../http/pages.ts';
import type { Page } from '../http/pages.ts';
import { withSecret } from '../http/secret-fields.ts';
import {
  createCredentialBody,
  credentialAnswer,
  credentialPage,
  credentialReplay,
  credentialWithSecret,
  editCredentialBody,
  listCredentialsQuery,
  rotateSecretBody,
  rotatedCredential,
} from './credentials.dto.ts';
import type {
  CreateCredentialBody,
  CredentialPath,
  EditCredentialBody,
  ListCredentialsParameters,
  RotateSecretBody,
} from './credentials.dto.ts';

@ApiTags('Credentials')
@Controller('v1/operations/:operationId/credentials')
export class CredentialsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly pages: Pages,
  ) {}

  @Post()
  @Roles('platform-admin', 'operation-admin')
  @Idempotent({ read: readAgain, secretMember: 'clientSecret' })
  @AllFaults(createCredentialBody, findFaults)
  @ApiOperation({
    summary: 'Create a credential',
    description:
      'Answers with `clientSecret`, this once: it is stored nowhere. An operation holds at most ten credentials; disabled ones count.',
  })
  @ApiCreatedResponse({ description: 'Created.', standardSchema: credentialWithSecret })
  @ApiOkResponse({
    description: 'A replay: the same `Idempotency-Key` and body had made it before. The secret cannot be repeated.',
    standardSchema: credentialReplay,
  })
  @ApiProblems('allowed-ips-required', 'unknown-api', 'api-not-entitled', 'not-found', 'name-taken', 'credential-limit')
  async create(
    @Req() request: LatchkeyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Param('operationId') operationId: string,
    @Body({ schema: createCredentialBody }) body: CreateCredentialBody,
  ): Promise<object> {
    const command = new CreateCredentialCommand(callContext(request), operationId, { ...body, status: 'active' });
    const { view, clientSecret } = await this.commands.execute(command);
    reply.header('location', `/v1/operations/${view.operationId}/credentials/${view.id}`);
    return withSecret(withEtag(reply, view), 'clientSecret', clientSecret);
  }

  @Get()
  @Roles('platform-admin', 'operation-admin', 'auditor')
  @ApiOperation({ summary: 'List credentials', description: 'Those of the operation, oldest first.' })
  @ApiOkResponse({ description: 'A page of credentials.', standardSchema: credentialPage })
  @ApiProblems('invalid-cursor', 'unknown-api', 'not-found')
  async list(
    @Param('operationId') operationId: string,
    @Query({ schema: listCredentialsQuery }) { limit, cursor, ...filter }: ListCredentialsParameters,
  ): Promise<Page<object>> {
    const list = listName(`operations/${operationId}/credentials`, filter);
    const after = await this.pages.open(list, cursor);
    const found = await this.queries.execute(new ListCredentialsQuery(operationId, filter, after, limit + 1));
    const page = await this.pages.page(list, found, limit, (view) => view.id);
    return { ...page, items: page.items.map(({ version: _version, ...body }) => body) };
  }

  @Get(':credentialId')
  @Roles('platform-admin', 'operation-admin', 'auditor')
  @ApiOperation({ summary: 'Read a credential', description: 'Its ETag is what a change needs as If-Match.' })
  @ApiOkResponse({ description: 'The credential.', standardSchema: credentialAnswer })
  @ApiProblems('not-found')
  async read(
    @Res({ passthrough: true }) reply: FastifyReply,
    @Param() { operationId, credentialId }: CredentialPath,
  ): Promise<object> {
    return withEtag(reply, await this.queries.execute(new GetCredentialQuery(operationId, credentialId)));
  }

  @Patch(':credentialId')
  @Roles('platform-admin', 'operation-admin')
  @AllFaults(editCredentialBody, findFaults)
  @ApiOperation({
    summary: 'Change a credential',
    description:
      'Any of its attributes. What is changed is in force for its live tokens, on every instance, when this is answered.',
  })
  @DryRunnable({ description: 'The credential as it is now.', schema: credentialAnswer })
  @ApiProblems('allowed-ips-required', 'unknown-api', 'api-not-entitled', 'not-found', 'name-taken')
  async edit(
    @Req() request: LatchkeyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Param() path: CredentialPath,
    @IfMatch() expected: ExpectedVersion,
    @Body({ schema: editCredentialBody }) body: EditCredentialBody,
  ): Promise<object> {
    const { operationId, credentialId } = path;
    const target = { operationId, credentialId, expected };
    return withEtag(
      reply,
      await this.commands.execute(new EditCredentialCommand(callContext(request), target, { set: body })),
    );
  }

  @Delete(':credentialId')
  @Roles('platform-admin', 'operation-admin')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Delete a credential',
    description:
      'From the moment this is answered none of its tokens is good, on any instance. A worker clears their storage afterwards.',
  })
  @ApiNoContentResponse({ description: 'Deleted; its tokens are worthless.' })
  @DryRunnable()
  @ApiProblems('not-found')
  async delete(
    @Req() request: LatchkeyRequest,
    @Param() { operationId, credentialId }: CredentialPath,
    @IfMatch() expected: ExpectedVersion,
  ): Promise<void> {
    const target = { operationId, credentialId, expected };
    await this.commands.execute(new DeleteCredentialCommand(callContext(request), target));
  }

  @Post(':credentialId/rotate-secret')
  @Roles('platform-admin', 'operation-admin')
  @HttpCode(200)
  @Idempotent({ read: readAgain, secretMember: 'clientSecret', altersRights: true })
  @ApiBody({ required: false })
  @ApiOperation({
    summary: 'Rotate the secret',
    description:
      'Answers with the new `clientSecret`, this once. The old secret stays valid for `overlapSeconds`. At most two secrets are ' +
      'live: while an overlap lasts, a rotation is refused (409, with both secrets and their last use) unless `endOldest` ends the ' +
      'older one. `compromised` ends every older secret and every token immediately. A replay with the same `Idempotency-Key` ' +
      'rotates nothing and has `clientSecret: null` and a `notice`.',
  })
  @DryRunnable({
    description: 'The credential and its new secret; for a replay `clientSecret: null` and a `notice`.',
    schema: rotatedCredential,
  })
  @ApiProblems('not-found', 'rotation-in-progress')
  async rotateSecret(
    @Req() request: LatchkeyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Param() path: CredentialPath,
    @OptionalIfMatch() expected: ExpectedVersion,
    @Body({ schema: rotateSecretBody }) rotation: RotateSecretBody,
  ): Promise<object> {
    const { operationId, credentialId } = path;
    const target = { operationId, credentialId, expected };
    const command = new RotateSecretCommand(callContext(request), target, rotation);
    const { view, clientSecret } = await this.commands.execute(command);
    return withSecret(withEtag(reply, view), 'clientSecret', clientSecret);
  }
}

function findFaults({
  operationId,
  keys,
  valid: { allowedIps, expiresAt, owner },
}: ReadableParts<EditCredentialBody>): FindCredentialFaultsQuery {
  return new FindCredentialFaultsQuery(operationId, keys, { allowedIps, expiresAt, owner });
}

function readAgain({ operationId, id }: FirstAnswer): GetCredentialQuery {
  return new GetCredentialQuery(String(operationId), String(id));
}
