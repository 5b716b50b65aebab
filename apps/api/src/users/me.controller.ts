import { Controller, Get, Req } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { GetMeQuery } from '#identity';
import { Roles } from '../http/access.ts';
import { ApiProblems } from '../http/api-problems.ts';
import { unauthenticated } from '../http/unauthenticated.ts';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';
import { meAnswer } from './users.dto.ts';

@ApiTags('Users')
@Controller('v1/me')
export class MeController {
  constructor(private readonly queries: QueryBus) {}

  @Get()
  @Roles('platform-admin', 'operation-admin', 'auditor')
  @ApiOperation({ summary: 'Who am I', description: 'Your name, your roles, and the operations that you manage.' })
  @ApiOkResponse({ description: 'You.', standardSchema: meAnswer })
  @ApiProblems()
  async read(@Req() { principal }: LatchkeyRequest): Promise<object> {
    if (principal === undefined) throw unauthenticated();
    return this.queries.execute(new GetMeQuery(principal));
  }
}
