import { Global, Module } from '@nestjs/common';
import { BullModule } from '@nestjs/bullmq';
import { CONFIG } from '#config';
import type { Config } from '#config';
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
import { queueConnection, queuePrefix } from './redis.ts';

const retaining = [ArchiveEventsHandler, ChainRetention, EventDropper, RefusalRetention, RetentionStore, Retentions];
const queueing = [
  FailedJobs,
  JobQueues,
  ListFailedJobsHandler,
  ListOutboxHandler,
  ListQueuesHandler,
  OutboxRelay,
  RelayServices,
  RetryJobHandler,
];

@Global()
@Module({
  imports: [
    EventLogModule,
    BullModule.forRootAsync({
      inject: [CONFIG],
      useFactory: (config: Config) => ({
        prefix: queuePrefix(config.mongodbUri),
        // queues and workers alike: a worker whose commands fail at once while Redis is away tries again and again without a pause, and
        // the process does nothing else any more
        connection: { ...queueConnection(config.redisUrl, true) },
      }),
    }),
    BullModule.registerQueue({ name: 'token-purge' }, { name: 'maintenance' }),
  ],
  providers: [...retaining, ...queueing, KeyRegistration],
  exports: [EventLogModule, BullModule, JobQueues],
})
export class EventsModule {}
