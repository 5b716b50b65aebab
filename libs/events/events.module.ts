import { Global, Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { ChainBarrier } from './chain/chain-barrier.ts';
import { ChainEnds } from './health/chain-ends.ts';
import { ChainHealth } from './health/chain-health.ts';
import { EventLog } from './log/event-log.ts';
import { Refusals } from './log/refusals.ts';
import { TombstoneLog } from './tombstones/tombstone-log.ts';
import { DurablePublisher } from './unit-of-work/durable-publisher.ts';
import { LogSafety } from './unit-of-work/log-safety.ts';
import { Stopping } from './unit-of-work/stopping.ts';
import { UnitOfWork, UnitServices } from './unit-of-work/unit-of-work.ts';

/** The write side of the event log. Starts no background work that is visible outside this process. */
@Global()
@Module({
  imports: [CqrsModule.forRoot()],
  providers: [
    ChainBarrier,
    ChainEnds,
    ChainHealth,
    DurablePublisher,
    EventLog,
    LogSafety,
    Refusals,
    Stopping,
    TombstoneLog,
    UnitOfWork,
    UnitServices,
  ],
  exports: [CqrsModule, ChainBarrier, ChainEnds, ChainHealth, EventLog, Refusals, Stopping, TombstoneLog, UnitOfWork],
})
export class EventsModule {}
