import { Global, Module } from '@nestjs/common';
import { EventsModule } from '#events';
import { ChainFaults } from './checkpoints/chain-faults.ts';
import { ChainSigner } from './checkpoints/chain-signer.ts';
import { CheckpointKeySources, CheckpointKeys } from './checkpoints/checkpoint-keys.ts';
import { CheckpointLog } from './checkpoints/checkpoint-log.ts';
import { ExportEventsHandler } from './commands/export-events.command.ts';
import { SignCheckpointsHandler } from './commands/sign-checkpoints.command.ts';
import { FeedSignal } from './feed/feed-signal.ts';
import { ReadFeedHandler } from './feed/read-feed.query.ts';
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
import { DecideAccessReviewHandler, RepeatVerdictHandler } from './reviews/decide-access-review.command.ts';
import { ReviewSealer } from './reviews/review-sealer.ts';
import { ReadAudit } from './reading/read-audit.ts';
import { ReadRetry } from './reading/read-retry.ts';
import { TextStreams } from './reading/text-streams.ts';

const reading = [
  ChainReader,
  EventExport,
  ExportEventsHandler,
  FeedSignal,
  GetEventHandler,
  ListEventsHandler,
  ReadAudit,
  ReadFeedHandler,
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
  DecideAccessReviewHandler,
  ExportCheckpointsHandler,
  ListCheckpointKeysHandler,
  ListCheckpointsHandler,
  RepeatVerdictHandler,
  RequireChainHandler,
  ReviewSealer,
  SignCheckpointsHandler,
  VerifyLogHandler,
];

/** Reading and proving the event log. Starts no background work, so every CLI command may import it. */
@Global()
@Module({
  imports: [EventsModule],
  providers: [...reading, ...proving],
  exports: [
    ChainFaults,
    ChainReader,
    ChainSigner,
    CheckpointKeys,
    CheckpointLog,
    FeedSignal,
    ReadRetry,
    ReviewSealer,
    TextStreams,
  ],
})
export class AuditModule {}
