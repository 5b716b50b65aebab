import { Controller, Get, Query, Req } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ListAttentionQuery } from '#attention';
import type { AttentionItem } from '#attention';
import { visibleOperations } from '#identity';
import { DomainError } from '#kernel';
import { Roles } from '../http/access.ts';
import { ApiProblems } from '../http/api-problems.ts';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';
import { Pages, listName } from '../http/pages.ts';
import { attentionPage, listAttentionQuery } from './attention.dto.ts';
import type { ListAttentionParameters } from './attention.dto.ts';

@ApiTags('Attention')
@Controller('v1/attention')
export class AttentionController {
  constructor(
    private readonly queries: QueryBus,
    private readonly pages: Pages,
  ) {}

  @Get()
  @Roles('platform-admin', 'operation-admin', 'auditor')
  @ApiOperation({
    summary: 'List what needs a person',
    description:
      'Of the operations that you may see, and of the platform if you may see all. What ends within two weeks: `endsBefore`. ' +
      'Which APIs are granted for nothing: `kind=apis-unused`. Each item has the call that fixes it: send `fix.body` to ' +
      '`fix.path` by `fix.method`, with `fix.ifMatch` as If-Match, and the item is gone. The call needs its own role. Only ' +
      'credentials that can be used are judged. First come the event log and the service, then the operations, oldest first. A ' +
      'page may have fewer items than `limit`, even none, and still a `nextCursor`.',
  })
  @ApiOkResponse({ description: 'A page of items.', standardSchema: attentionPage })
  @ApiProblems('invalid-cursor', 'not-found')
  async list(
    @Req() { principal }: LatchkeyRequest,
    @Query({ schema: listAttentionQuery }) { limit, cursor, ...filter }: ListAttentionParameters,
  ): Promise<object> {
    const operationIds = principal === undefined ? [] : visibleOperations(principal);
    const { operationId, endsBefore } = filter;
    if (operationId !== undefined && operationIds?.includes(operationId) === false)
      throw DomainError.notFound('operation');
    const scope = { operationIds, seesJobs: principal?.roles.includes('platform-admin') === true };
    const list = listName('attention', { ...filter, endsBefore: endsBefore?.toISOString() });
    const query = new ListAttentionQuery(scope, filter, await this.pages.open(list, cursor), limit);
    const { items, next, unchecked } = await this.queries.execute(query);
    const nextCursor = next === null ? null : await this.pages.cursor(list, next);
    return { items: items.map(body), nextCursor, unchecked };
  }
}

function body({ since, until, ...item }: AttentionItem): object {
  return { ...item, since: since.toISOString(), ...(until === undefined ? {} : { until: until.toISOString() }) };
}
