export { AuditModule } from './audit.module.ts';
export { ChainFaults } from './checkpoints/chain-faults.ts';
export { CheckpointKeys } from './checkpoints/checkpoint-keys.ts';
export { CheckpointLog } from './checkpoints/checkpoint-log.ts';
export { ArchiveEventsCommand } from './commands/archive-events.command.ts';
export { ExportEventsCommand } from './commands/export-events.command.ts';
export { SignCheckpointsCommand } from './commands/sign-checkpoints.command.ts';
export { START_OF_LOG, decodePosition, encodePosition, narrowed } from './feed/feed-position.ts';
export { FeedSignal } from './feed/feed-signal.ts';
export { FeedInterrupted, ReadFeedQuery } from './feed/read-feed.query.ts';
export { GetEventQuery, ListEventsQuery } from './queries/event.queries.ts';
export {
  ExportCheckpointsQuery,
  ListCheckpointKeysQuery,
  ListCheckpointsQuery,
  RequireChainQuery,
  VerifyLogQuery,
} from './queries/log-proof.queries.ts';
export { ChainReader } from './reading/chain-reader.ts';
export { EXPORT_FORMATS } from './reading/event-lines.ts';
export { csvRecord } from './reading/event-csv.ts';
export { ReadRetry } from './reading/read-retry.ts';
export { TextStreams } from './reading/text-streams.ts';
export {
  DecideAccessReviewCommand,
  REVIEW_VERDICTS,
  RepeatVerdictQuery,
} from './reviews/decide-access-review.command.ts';
export { ReviewSealer } from './reviews/review-sealer.ts';
export { RetentionModule } from './retention.module.ts';
export type { FeedPosition, FeedScope } from './feed/feed-position.ts';
export type { FeedPage } from './feed/read-feed.query.ts';
export type { ReviewSeal } from './reviews/review-sealer.ts';
export type { EventPosition } from './reading/event-filter.ts';
export type { EventView } from './reading/event-view.ts';
