import { Global, Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { ChainSigner } from './checkpoints/chain-signer.ts';
import { CheckpointKeySources, CheckpointKeys } from './checkpoints/checkpoint-keys.ts';
import { CheckpointLog } from './checkpoints/checkpoint-log.ts';
import { ExportEventsHandler } from './commands/export-events.handler.ts';
import { SignCheckpointsHandler } from './commands/sign-checkpoints.handler.ts';
import { DurablePublisher } from './durable-publisher.ts';
import { EventLog } from './event-log.ts';
import { ChainEnds } from './health/chain-ends.ts';
import { ChainHealth } from './health/chain-health.ts';
import { LogSafety } from './log-safety.ts';
import { OutboxSignal } from './outbox-signal.ts';
import { GetEventHandler, ListEventsHandler } from './queries/event.queries.ts';
import {
  ExportCheckpointsHandler,
  ListCheckpointKeysHandler,
  ListCheckpointsHandler,
  RequireChainHandler,
  VerifyLogHandler,
} from './queries/log-proof.queries.ts';
import { ChainProver } from './reading/chain-proof.ts';
import { ChainReader } from './reading/chain-reader.ts';
import { EventExport } from './reading/event-export.ts';
import { ReadAudit } from './reading/read-audit.ts';
import { Refusals } from './refusals.ts';
import { ChainRepair } from './repair/chain-repair.ts';
import { Stopping } from './stopping.ts';
import { ChainMarkReader } from './tombstones/chain-mark-reader.ts';
import { TombstoneCatchUp } from './tombstones/tombstone-catch-up.ts';
import { TombstoneLog } from './tombstones/tombstone-log.ts';
import { TombstoneReview } from './tombstones/tombstone-review.ts';
import { UnitOfWork, UnitServices } from './unit-of-work.ts';

const writing = [DurablePublisher, EventLog, LogSafety, OutboxSignal, Refusals, Stopping, UnitOfWork, UnitServices];
const reading = [ChainReader, EventExport, ExportEventsHandler, GetEventHandler, ListEventsHandler, ReadAudit];
const proving = [
  ChainEnds,
  ChainHealth,
  ChainProver,
  ChainRepair,
  ChainSigner,
  CheckpointKeySources,
  CheckpointKeys,
  CheckpointLog,
  ExportCheckpointsHandler,
  ListCheckpointKeysHandler,
  ListCheckpointsHandler,
  RequireChainHandler,
  SignCheckpointsHandler,
  VerifyLogHandler,
];
const burying = [ChainMarkReader, TombstoneCatchUp, TombstoneLog, TombstoneReview];
const shared = [
  ...burying,
  CheckpointKeys,
  CheckpointLog,
  ChainReader,
  ChainSigner,
  ChainHealth,
  ChainRepair,
  EventLog,
];

/** The event log without queues: all that commands other than `serve` need. It starts no background work that others would notice. */
@Global()
@Module({
  imports: [CqrsModule.forRoot()],
  providers: [...writing, ...reading, ...proving, ...burying],
  exports: [CqrsModule, ...shared, OutboxSignal, Refusals, Stopping, UnitOfWork],
})
export class EventLogModule {}
