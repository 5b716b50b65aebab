import { Global, Module } from '@nestjs/common';
import { BullModule } from '@nestjs/bullmq';
import { CqrsModule } from '@nestjs/cqrs';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { ChainSigner } from './checkpoints/chain-signer.ts';
import { CheckpointKeySources, CheckpointKeys } from './checkpoints/checkpoint-keys.ts';
import { CheckpointLog } from './checkpoints/checkpoint-log.ts';
import { ArchiveEventsHandler, Retentions } from './commands/archive-events.handler.ts';
import { ExportEventsHandler } from './commands/export-events.handler.ts';
import { RetryJobHandler } from './commands/retry-job.handler.ts';
import { SignCheckpointsHandler } from './commands/sign-checkpoints.handler.ts';
import { DurablePublisher } from './durable-publisher.ts';
import { EventLog } from './event-log.ts';
import { JobQueues } from './job-queues.ts';
import { FailedJobs } from './jobs/failed-jobs.ts';
import { GetEventHandler, ListEventsHandler } from './queries/event.queries.ts';
import { ListFailedJobsHandler, ListOutboxHandler, ListQueuesHandler } from './queries/job.queries.ts';
import {
  ExportCheckpointsHandler,
  ListCheckpointKeysHandler,
  ListCheckpointsHandler,
  VerifyLogHandler,
} from './queries/log-proof.queries.ts';
import { ChainProver } from './reading/chain-proof.ts';
import { ChainReader } from './reading/chain-reader.ts';
import { EventExport } from './reading/event-export.ts';
import { ReadAudit } from './reading/read-audit.ts';
import { ChainRetention, RetentionStore } from './retention/chain-retention.ts';
import { EventDropper } from './retention/event-dropper.ts';
import { RefusalRetention } from './retention/refusal-retention.ts';
import { OutboxRelay, RelayServices } from './outbox-relay.ts';
import { OutboxSignal } from './outbox-signal.ts';
import { Refusals } from './refusals.ts';
import { queueConnection, queuePrefix } from './redis.ts';
import { Stopping } from './stopping.ts';
import { UnitOfWork, UnitServices } from './unit-of-work.ts';

const writing = [DurablePublisher, EventLog, Refusals, Stopping, UnitOfWork, UnitServices];
const reading = [ChainReader, EventExport, ExportEventsHandler, GetEventHandler, ListEventsHandler, ReadAudit];
const proving = [
  ChainProver,
  ChainSigner,
  CheckpointKeySources,
  CheckpointKeys,
  CheckpointLog,
  ExportCheckpointsHandler,
  ListCheckpointKeysHandler,
  ListCheckpointsHandler,
  SignCheckpointsHandler,
  VerifyLogHandler,
];
const retaining = [ArchiveEventsHandler, ChainRetention, EventDropper, RefusalRetention, RetentionStore, Retentions];
const queueing = [
  FailedJobs,
  JobQueues,
  ListFailedJobsHandler,
  ListOutboxHandler,
  ListQueuesHandler,
  OutboxRelay,
  OutboxSignal,
  RelayServices,
  RetryJobHandler,
];

@Global()
@Module({
  imports: [
    CqrsModule.forRoot(),
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
  providers: [...writing, ...reading, ...proving, ...retaining, ...queueing],
  exports: [CqrsModule, BullModule, EventLog, JobQueues, Refusals, UnitOfWork],
})
export class EventsModule {}
