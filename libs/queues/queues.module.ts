import { Global, Module } from '@nestjs/common';
import { EventsModule } from '#events';
import { RedisModule } from '#redis';
import { RetryJobHandler } from './commands/retry-job.command.ts';
import { FailedJobs } from './failed-jobs.ts';
import { JobQueues } from './job-queues.ts';
import { OutboxRelay } from './outbox-relay.ts';
import { OutboxRows } from './outbox-rows.ts';
import { ListFailedJobsHandler, ListOutboxHandler, ListQueuesHandler } from './queries/job.queries.ts';
import { WakeRelay } from './wake-relay.ts';

@Global()
@Module({
  imports: [EventsModule, RedisModule],
  providers: [
    FailedJobs,
    JobQueues,
    ListFailedJobsHandler,
    ListOutboxHandler,
    ListQueuesHandler,
    OutboxRelay,
    OutboxRows,
    RetryJobHandler,
    WakeRelay,
  ],
  exports: [JobQueues],
})
export class QueuesModule {}
