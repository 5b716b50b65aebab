import { Global, Module } from '@nestjs/common';
import { EventsModule } from '#events';
import { ChainFaults } from './checkpoints/chain-faults.ts';
import { ChainSigner } from './checkpoints/chain-signer.ts';
import { CheckpointKeySources, CheckpointKeys } from './checkpoints/checkpoint-keys.ts';
import { CheckpointLog } from './checkpoints/checkpoint-log.ts';
import { ExportEventsHandler } from './commands/export-events.command.ts';
import { SignCheckpointsHandler } from './commands/sign-checkpoints.command.ts';
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
import { ReadRetry } from './reading/read-retry.ts';
import { TextStreams } from './reading/text-streams.ts';

const reading = [
  ChainReader,
  EventExport,
  ExportEventsHandler,
  GetEventHandler,
  ListEventsHandler,
  ReadAudit,
  ReadRetry,
  TextStreams,
];
const proving = [
  ChainFaults,
  ChainProver,
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

/** Reading and proving the event log. Starts no background work, so every CLI command may import it. */
@Global()
@Module({
  imports: [EventsModule],
  providers: [...reading, ...proving],
  exports: [ChainFaults, ChainReader, ChainSigner, CheckpointKeys, CheckpointLog, ReadAudit, ReadRetry, TextStreams],
})
export class AuditModule {}
