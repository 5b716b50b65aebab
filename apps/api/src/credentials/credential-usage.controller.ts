import { Controller, Get, Param, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { GetCredentialUsageQuery } from '#credentials';
import { Roles } from '../http/access.ts';
import { ApiProblems } from '../http/api-problems.ts';
import { usageAnswer, usageQuery } from './credential-usage.dto.ts';
import type { UsageParameters } from './credential-usage.dto.ts';
import type { CredentialPath } from './credentials.dto.ts';

const NOTE = 'Counts may be 10 seconds late. A crash of an instance may lose its last 10 seconds.';

@ApiTags('Credentials')
@Controller('v1/operations/:operationId/credentials/:credentialId/usage')
export class CredentialUsageController {
  constructor(private readonly queries: QueryBus) {}

  @Get()
  @Roles('platform-admin', 'operation-admin', 'auditor')
  @ApiOperation({
    summary: 'Read what a credential is used for',
    description:
      'Who calls from where: see `addresses`; without parameters, those of the last 24 hours. Whether an old secret is still ' +
      'used: see its `count` and `lastSeenAt` in `secrets`. Which APIs are called: see `apis`. Counted at token requests, ' +
      'introspection and forward-auth, kept for 90 days. The counts are no proof: they are outside of the event log, may be 10 ' +
      'seconds late, and a crash may lose the last 10 seconds of an instance.',
  })
  @ApiOkResponse({ description: 'The use in the period.', standardSchema: usageAnswer })
  @ApiProblems('not-found')
  async read(
    @Param() { operationId, credentialId }: CredentialPath,
    @Query({ schema: usageQuery }) period: UsageParameters,
  ): Promise<object> {
    const usage = await this.queries.execute(new GetCredentialUsageQuery(operationId, credentialId, period));
    return { ...usage, note: NOTE };
  }
}
