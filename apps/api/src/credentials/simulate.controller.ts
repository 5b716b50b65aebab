import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { SimulateQuery } from '#access';
import { Roles } from '../http/access.ts';
import { ApiProblems } from '../http/api-problems.ts';
import type { CredentialPath } from './credentials.dto.ts';
import { simulateBody, simulationAnswer } from './simulate.dto.ts';
import type { SimulateBody } from './simulate.dto.ts';

@ApiTags('Credentials')
@Controller('v1/operations/:operationId/credentials/:credentialId/simulate')
export class SimulateController {
  constructor(private readonly queries: QueryBus) {}

  @Post()
  @HttpCode(200)
  @Roles('platform-admin', 'operation-admin', 'auditor')
  @ApiOperation({
    summary: 'Simulate a request',
    description:
      'Would this credential get a token for that API from that address now, and if not, why? Judged by the rules that ' +
      'judge the next real request, in their order; nothing is issued and nothing is recorded. A token that it has ' +
      'already is judged by the same rules except `secret` and `token-limit`. With `at`, the answer is for a past ' +
      'moment: the state is rebuilt from the event log, and `events` names the events that decided each rule, as proof ' +
      '(`GET /v1/events/{eventId}` shows one). For example: could this credential call the API last Tuesday at noon ' +
      'from 192.0.2.7? 410 `before-retention`: the log no longer reaches back to that moment.',
  })
  @ApiBody({ standardSchema: simulateBody } as never)
  @ApiOkResponse({ description: 'The verdict.', standardSchema: simulationAnswer })
  @ApiProblems('not-found', 'before-retention')
  simulate(
    @Param() { operationId, credentialId }: CredentialPath,
    @Body({ schema: simulateBody }) { ip, api, at }: SimulateBody,
  ): Promise<object> {
    return this.queries.execute(new SimulateQuery(operationId, credentialId, { ip, api }, at));
  }
}
