import { Controller, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ListFailedJobsQuery, ListOutboxQuery, ListQueuesQuery, RetryJobCommand } from '#queues';
import { Roles } from '../http/access.ts';
import { ApiProblems } from '../http/api-problems.ts';
import { callContext } from '../http/latchkey-request.ts';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';
import { Pages, listName } from '../http/pages.ts';
import type { Page } from '../http/pages.ts';
import { jobPage, jobPath, listJobsQuery, listOutboxQuery, outboxPage, queueListAnswer } from './jobs.dto.ts';
import type { JobPath, ListJobsParameters, ListOutboxParameters } from './jobs.dto.ts';

@ApiTags('Jobs')
@Controller('v1')
@Roles('platform-admin')
export class JobsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly pages: Pages,
  ) {}

  @Get('queues')
  @ApiOperation({ summary: 'List queues', description: 'The number of jobs in each queue, by state.' })
  @ApiOkResponse({ description: 'The queues.', standardSchema: queueListAnswer })
  @ApiProblems('queue-unavailable')
  async queues(): Promise<object> {
    return { items: await this.queries.execute(new ListQueuesQuery()) };
  }

  @Get('jobs')
  @ApiOperation({
    summary: 'List failed jobs',
    description:
      'Jobs without further automatic retries, the latest first. Their outbox rows are still enqueued again in new jobs.',
  })
  @ApiOkResponse({ description: 'A page of failed jobs.', standardSchema: jobPage })
  @ApiProblems('queue-unavailable', 'invalid-cursor')
  async failed(
    @Query({ schema: listJobsQuery }) { limit, cursor, state, queue }: ListJobsParameters,
  ): Promise<Page<object>> {
    const list = listName('jobs', { state, queue });
    const [failedAt = '', id = ''] = (await this.pages.open(list, cursor))?.split(' ') ?? [];
    const after = id === '' ? undefined : { failedAtMs: Date.parse(failedAt), id };
    const found = await this.queries.execute(new ListFailedJobsQuery(queue, after, limit + 1));
    return this.pages.page(list, found, limit, (job) => `${job.failedAt} ${job.id}`);
  }

  @Post('jobs/:queue/:jobId/retry')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Retry a failed job',
    description: 'Runs the job again. A job may run twice without harm.',
  })
  @ApiNoContentResponse({ description: 'The job is waiting for its next attempt.' })
  @ApiProblems('not-found', 'job-not-failed', 'queue-unavailable')
  async retry(@Req() request: LatchkeyRequest, @Param({ schema: jobPath }) { queue, jobId }: JobPath): Promise<void> {
    await this.commands.execute(new RetryJobCommand(callContext(request), queue, jobId));
  }

  @Get('outbox')
  @ApiOperation({
    summary: 'List the outbox',
    description: 'Follow-up work of committed changes that is not done yet, the oldest first. Usually empty.',
  })
  @ApiOkResponse({ description: 'A page of the outbox.', standardSchema: outboxPage })
  @ApiProblems('invalid-cursor')
  async outbox(@Query({ schema: listOutboxQuery }) { limit, cursor }: ListOutboxParameters): Promise<Page<object>> {
    const list = listName('outbox', {});
    const found = await this.queries.execute(new ListOutboxQuery(await this.pages.open(list, cursor), limit + 1));
    return this.pages.page(list, found, limit, ({ id }) => id);
  }
}
