import { Controller, Get, Query, Req } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { SearchCredentialsQuery } from '#credentials';
import { visibleOperations } from '#identity';
import { digest } from '#kernel';
import { Roles } from '../http/access.ts';
import { ApiProblems } from '../http/api-problems.ts';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';
import { Pages } from '../http/pages.ts';
import type { Page } from '../http/pages.ts';
import { searchCredentialsQuery } from './credential-search.dto.ts';
import type { SearchCredentialsParameters } from './credential-search.dto.ts';
import { credentialPage } from './credentials.dto.ts';

@ApiTags('Credentials')
@Controller('v1/credentials')
export class CredentialSearchController {
  constructor(
    private readonly queries: QueryBus,
    private readonly pages: Pages,
  ) {}

  @Get()
  @Roles('platform-admin', 'operation-admin', 'auditor')
  @ApiOperation({
    summary: 'Search credentials of all operations',
    description: 'Across all operations that you may see, oldest first. All conditions must hold.',
  })
  @ApiOkResponse({ description: 'A page of credentials.', standardSchema: credentialPage })
  @ApiProblems('invalid-cursor', 'unknown-api')
  async search(
    @Req() { principal }: LatchkeyRequest,
    @Query({ schema: searchCredentialsQuery }) { limit, cursor, ...criteria }: SearchCredentialsParameters,
  ): Promise<Page<object>> {
    const operationIds = principal === undefined ? [] : visibleOperations(principal);
    // a digest, since the conditions may be longer than a cursor
    const list = digest(JSON.stringify(['credentials', criteria]));
    const after = await this.pages.open(list, cursor);
    const query = new SearchCredentialsQuery({ ...criteria, operationIds }, after, limit + 1);
    const page = await this.pages.page(list, await this.queries.execute(query), limit, (view) => view.id);
    return { ...page, items: page.items.map(({ version: _version, ...body }) => body) };
  }
}
