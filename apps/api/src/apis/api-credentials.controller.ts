import { Controller, Get, Param, Query, Req } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ListApiCredentialsQuery } from '#history';
import { visibleOperations } from '#identity';
import { Roles } from '../http/access.ts';
import { ApiProblems } from '../http/api-problems.ts';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';
import { Pages, listName } from '../http/pages.ts';
import type { Page } from '../http/pages.ts';
import { apiCredentialPage, apiCredentialsQuery } from './api-credentials.dto.ts';
import type { ApiCredentialsParameters } from './api-credentials.dto.ts';

@ApiTags('APIs')
@Controller('v1/apis/:apiKey/credentials')
export class ApiCredentialsController {
  constructor(
    private readonly queries: QueryBus,
    private readonly pages: Pages,
  ) {}

  @Get()
  @Roles('platform-admin', 'operation-admin', 'auditor')
  @ApiOperation({
    summary: 'List the credentials that may call an API',
    description:
      'Of the operations that you may see: active credentials that have the API, have not expired, and whose operation is not ' +
      'suspended. With `at`: those that could at that moment, rebuilt from the event log, also credentials and APIs that were ' +
      'deleted since. If a retention has archived events after that moment, the answer is 410 with the `earliest` moment.',
  })
  @ApiOkResponse({ description: 'A page of credentials.', standardSchema: apiCredentialPage })
  @ApiProblems('invalid-cursor', 'not-found', 'before-retention')
  async list(
    @Req() { principal }: LatchkeyRequest,
    @Param('apiKey') apiKey: string,
    @Query({ schema: apiCredentialsQuery }) { limit, cursor, at }: ApiCredentialsParameters,
  ): Promise<Page<object>> {
    const visible = principal === undefined ? [] : visibleOperations(principal);
    const list = listName(`apis/${apiKey}/credentials`, { at: at?.toISOString() });
    const after = await this.pages.open(list, cursor);
    const query = new ListApiCredentialsQuery(apiKey, visible, at, { after, limit: limit + 1 });
    return this.pages.page(list, await this.queries.execute(query), limit, ({ id }) => id);
  }
}
