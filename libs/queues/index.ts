export { RetryJobCommand } from './commands/retry-job.command.ts';
export { JobQueues } from './job-queues.ts';
export { ListFailedJobsQuery, ListOutboxQuery, ListQueuesQuery } from './queries/job.queries.ts';
export { queues } from './queues.ts';
export { QueuesModule } from './queues.module.ts';
export type { FailedJob } from './failed-jobs.ts';
export type { QueueName } from './queues.ts';
