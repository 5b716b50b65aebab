import { Global, Module } from '@nestjs/common';
import { KeyRegistration } from './checkpoints/key-registration.ts';
import { ArchiveEventsHandler, Retentions } from './commands/archive-events.handler.ts';
import { RetryJobHandler } from './commands/retry-job.handler.ts';
import { EventLogModule } from './event-log.module.ts';
import { JobQueues } from './job-queues.ts';
import { FailedJobs } from './jobs/failed-jobs.ts';
import { ListFailedJobsHandler, ListOutboxHandler, ListQueuesHandler } from './queries/job.queries.ts';
import { ChainRetention, RetentionStore } from './retention/chain-retention.ts';
import { EventDropper } from './retention/event-dropper.ts';
import { RefusalRetention } from './retention/refusal-retention.ts';
import { OutboxRelay, RelayServices } from './outbox-relay.ts';
import { RedisLink } from './redis-link.ts';
import { RedisNamespace } from './redis-namespace.ts';

const retaining = [ArchiveEventsHandler, ChainRetention, EventDropper, RefusalRetention, RetentionStore, Retentions];
const queueing = [
  FailedJobs,
  JobQueues,
  ListFailedJobsHandler,
  ListOutboxHandler,
  ListQueuesHandler,
  OutboxRelay,
  RedisLink,
  RedisNamespace,
  RelayServices,
  RetryJobHandler,
];

@Global()
@Module({
  imports: [EventLogModule],
  providers: [...retaining, ...queueing, KeyRegistration],
  exports: [EventLogModule, JobQueues, RedisNamespace],
})
export class EventsModule {}
