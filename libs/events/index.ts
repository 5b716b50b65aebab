export { PLATFORM_CHAIN } from './chain.ts';
export { ArchiveEventsCommand } from './commands/archive-events.command.ts';
export { ExportEventsCommand } from './commands/export-events.command.ts';
export { RetryJobCommand } from './commands/retry-job.command.ts';
export { SignCheckpointsCommand } from './commands/sign-checkpoints.command.ts';
export { EventLog } from './event-log.ts';
export { EventLogModule } from './event-log.module.ts';
export { EventsModule } from './events.module.ts';
export { JobQueues } from './job-queues.ts';
export { GetEventQuery, ListEventsQuery } from './queries/event.queries.ts';
export { ListFailedJobsQuery, ListOutboxQuery, ListQueuesQuery } from './queries/job.queries.ts';
export {
  ExportCheckpointsQuery,
  ListCheckpointKeysQuery,
  ListCheckpointsQuery,
  RequireChainQuery,
  VerifyLogQuery,
} from './queries/log-proof.queries.ts';
export { queues } from './queues.ts';
export { EXPORT_FORMATS } from './reading/event-lines.ts';
export { connectRedis } from './redis.ts';
export { RedisNamespace } from './redis-namespace.ts';
export { Refusals } from './refusals.ts';
export { ChainRepair } from './repair/chain-repair.ts';
export { systemContext } from './system-context.ts';
export { TombstoneLog } from './tombstones/tombstone-log.ts';
export { TombstoneReview } from './tombstones/tombstone-review.ts';
export { touchRights } from './touch-rights.ts';
export { UnitOfWork } from './unit-of-work.ts';
export type { PendingEvent } from './pending-event.ts';
export type { OutboxDocument } from './event.schema.ts';
export type { QueueName } from './queues.ts';
export type { EventPosition } from './reading/event-filter.ts';
export type { EventView } from './reading/event-view.ts';
export type { Tombstone } from './tombstones/tombstone.ts';
export type { Transaction } from './transaction.ts';
