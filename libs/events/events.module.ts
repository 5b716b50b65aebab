import { Global, Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { ChainBarrier } from './log/chain-barrier.ts';
import { ChainEnds } from './health/chain-ends.ts';
import { ChainHealth } from './health/chain-health.ts';
import { EventLog } from './log/event-log.ts';
import { Refusals } from './log/refusals.ts';
import { TombstoneLog } from './tombstones/tombstone-log.ts';
import { AfterCommit } from './unit-of-work/after-commit.ts';
import { ChainTransactions } from './unit-of-work/chain-transactions.ts';
import { DurablePublisher } from './unit-of-work/durable-publisher.ts';
import { Stopping } from './unit-of-work/stopping.ts';
import { UnitOfWork } from './unit-of-work/unit-of-work.ts';

/** The write side of the event log. Starts no background work that is visible outside this process. */
@Global()
@Module({
  imports: [CqrsModule.forRoot()],
  providers: [
    AfterCommit,
    ChainBarrier,
    ChainEnds,
    ChainHealth,
    ChainTransactions,
    DurablePublisher,
    EventLog,
    Refusals,
    Stopping,
    TombstoneLog,
    UnitOfWork,
  ],
  exports: [CqrsModule, ChainBarrier, ChainEnds, ChainHealth, EventLog, Refusals, Stopping, TombstoneLog, UnitOfWork],
})
export class EventsModule {}
