import { Global, Module } from '@nestjs/common';
import { BullModule } from '@nestjs/bullmq';
import { CqrsModule } from '@nestjs/cqrs';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { DurablePublisher } from './durable-publisher.ts';
import { EventLog } from './event-log.ts';
import { JobQueues } from './job-queues.ts';
import { GetEventHandler, ListEventsHandler } from './queries/event.queries.ts';
import { OutboxRelay, RelayServices } from './outbox-relay.ts';
import { OutboxSignal } from './outbox-signal.ts';
import { Refusals } from './refusals.ts';
import { queueConnection, queuePrefix } from './redis.ts';
import { UnitOfWork, UnitServices } from './unit-of-work.ts';

@Global()
@Module({
  imports: [
    CqrsModule.forRoot(),
    BullModule.forRootAsync({
      inject: [CONFIG],
      useFactory: (config: Config) => ({
        prefix: queuePrefix(config.mongodbUri),
        connection: { ...queueConnection(config.redisUrl, false) },
      }),
    }),
    BullModule.registerQueue({ name: 'token-purge' }, { name: 'maintenance' }),
  ],
  providers: [
    DurablePublisher,
    EventLog,
    GetEventHandler,
    JobQueues,
    ListEventsHandler,
    OutboxRelay,
    OutboxSignal,
    Refusals,
    RelayServices,
    UnitOfWork,
    UnitServices,
  ],
  exports: [CqrsModule, BullModule, EventLog, JobQueues, Refusals, UnitOfWork],
})
export class EventsModule {}
