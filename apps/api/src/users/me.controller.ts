import { Body, Controller, Get, HttpCode, Put, Req } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ChangePasswordCommand, GetMeQuery } from '#identity';
import { Roles } from '../http/access.ts';
import { ApiProblems } from '../http/api-problems.ts';
import { unauthenticated } from '../http/unauthenticated.ts';
import { callContext } from '../http/latchkey-request.ts';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';
import { changePasswordBody, meAnswer } from './users.dto.ts';
import type { ChangePasswordBody } from './users.dto.ts';

@ApiTags('Users')
@Controller('v1/me')
export class MeController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Get()
  @Roles('platform-admin', 'operation-admin', 'auditor')
  @ApiOperation({ summary: 'Who am I', description: 'Your name, your roles, and the operations that you manage.' })
  @ApiOkResponse({ description: 'You.', standardSchema: meAnswer })
  async read(@Req() { principal }: LatchkeyRequest): Promise<object> {
    if (principal === undefined) throw unauthenticated();
    return this.queries.execute(new GetMeQuery(principal));
  }

  @Put('password')
  @Roles('platform-admin', 'operation-admin', 'auditor')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Change your password',
    description:
      'In force from the next request on; every other session of yours ends. The current password is needed, and guessing at it is limited as at a sign-in. ' +
      'People of the OpenID Connect provider have no password here (409 `no-local-password`).',
  })
  @ApiNoContentResponse({ description: 'Changed.' })
  @ApiProblems('weak-password', 'wrong-password', 'no-local-password')
  async changePassword(
    @Req() request: LatchkeyRequest,
    @Body({ schema: changePasswordBody }) { currentPassword, newPassword }: ChangePasswordBody,
  ): Promise<void> {
    const sessionId = request.principal?.session?.id;
    const command = new ChangePasswordCommand(callContext(request), currentPassword, newPassword, sessionId);
    await this.commands.execute(command);
  }
}
