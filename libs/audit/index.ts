export { AuditModule } from './audit.module.ts';
export { CheckpointLog } from './checkpoints/checkpoint-log.ts';
export { ArchiveEventsCommand } from './commands/archive-events.command.ts';
export { ExportEventsCommand } from './commands/export-events.command.ts';
export { SignCheckpointsCommand } from './commands/sign-checkpoints.command.ts';
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
export { RetentionModule } from './retention.module.ts';
export type { EventPosition } from './reading/event-filter.ts';
export type { EventView } from './reading/event-view.ts';
