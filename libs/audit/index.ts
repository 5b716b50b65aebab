export { AuditModule } from './audit.module.ts';
export { ChainFaults } from './checkpoints/chain-faults.ts';
export { ChainSigner } from './checkpoints/chain-signer.ts';
export { CheckpointKeys } from './checkpoints/checkpoint-keys.ts';
export { CheckpointLog } from './checkpoints/checkpoint-log.ts';
export { KeyRegistration } from './checkpoints/key-registration.ts';
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
export { csvRecord } from './reading/event-csv.ts';
export { afterSummary, refusalsQuery } from './reading/event-filter.ts';
export { EXPORT_FORMATS, exportLines } from './reading/event-lines.ts';
export { refusalEvent } from './reading/event-view.ts';
export { ReadAudit } from './reading/read-audit.ts';
export { ReadRetry } from './reading/read-retry.ts';
export { TextStreams } from './reading/text-streams.ts';
export type { Checkpoint } from './checkpoints/checkpoints.ts';
export type { ChainExtent } from './reading/chain-reader.ts';
export type { EventPosition } from './reading/event-filter.ts';
export type { ExportFormat } from './reading/event-lines.ts';
export type { EventView } from './reading/event-view.ts';
