import { Global, Module } from '@nestjs/common';
import { EventsModule } from '#events';
import { RedisModule } from '#redis';
import { RetryJobHandler } from './commands/retry-job.command.ts';
import { FailedJobs } from './failed-jobs.ts';
import { JobQueues } from './job-queues.ts';
import { OutboxRelay, RelayServices } from './outbox-relay.ts';
import { ListFailedJobsHandler, ListOutboxHandler, ListQueuesHandler } from './queries/job.queries.ts';

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
    RelayServices,
    RetryJobHandler,
  ],
  exports: [JobQueues],
})
export class QueuesModule {}
