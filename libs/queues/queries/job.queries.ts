import { Query, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { EventLog } from '#events';
import type { OutboxDocument } from '#events';
import { bounded } from '#mongo';
import { FailedJobs } from '../failed-jobs.ts';
import type { FailedJob, FailedJobPosition, QueueCounts } from '../failed-jobs.ts';
import { queues } from '../queues.ts';
import type { QueueName } from '../queues.ts';

/** The number of jobs of each queue. @throws DomainError `queue-unavailable` */
export class ListQueuesQuery extends Query<QueueCounts[]> {}

@QueryHandler(ListQueuesQuery)
export class ListQueuesHandler implements IQueryHandler<ListQueuesQuery> {
  constructor(private readonly failedJobs: FailedJobs) {}

  execute(): Promise<QueueCounts[]> {
    return this.failedJobs.counts();
  }
}

/** A page of failed jobs, the latest first. @throws DomainError `queue-unavailable` */
export class ListFailedJobsQuery extends Query<FailedJob[]> {
  /** @param queue undefined for all queues */
  constructor(
    readonly queue: QueueName | undefined,
    readonly after: FailedJobPosition | undefined,
    readonly limit: number,
  ) {
    super();
  }
}

@QueryHandler(ListFailedJobsQuery)
export class ListFailedJobsHandler implements IQueryHandler<ListFailedJobsQuery> {
  constructor(private readonly failedJobs: FailedJobs) {}

  async execute({ queue, after, limit }: ListFailedJobsQuery): Promise<FailedJob[]> {
    const names = queue === undefined ? (Object.keys(queues) as QueueName[]) : [queue];
    const found = await Promise.all(names.map((name) => this.failedJobs.list(name, after, limit)));
    return found.flat().sort(latestFirst).slice(0, limit);
  }
}

// all times have the same form and length, so strings sort by time
function latestFirst(a: FailedJob, b: FailedJob): number {
  if (a.failedAt !== b.failedAt) return a.failedAt < b.failedAt ? 1 : -1;
  return a.id < b.id ? 1 : -1;
}

/** An outbox row: follow-up work that is not done yet. */
export interface OutboxView {
  readonly id: string;
  readonly queue: string;
  readonly eventType: string;
  readonly operationId: string | null;
  readonly subjectId: string;
  /** How often it was enqueued. */
  readonly attempts: number;
  readonly createdAt: string;
  readonly nextAttemptAt: string;
}

/** A page of the outbox, the oldest first. @throws DomainError `store-unavailable` */
export class ListOutboxQuery extends Query<OutboxView[]> {
  /** @param after id of the last row of the previous page */
  constructor(
    readonly after: string | undefined,
    readonly limit: number,
  ) {
    super();
  }
}

@QueryHandler(ListOutboxQuery)
export class ListOutboxHandler implements IQueryHandler<ListOutboxQuery> {
  constructor(private readonly log: EventLog) {}

  async execute({ after, limit }: ListOutboxQuery): Promise<OutboxView[]> {
    const query = after === undefined ? {} : { _id: { $gt: after } };
    const found = await bounded(this.log.outbox.find(query).sort({ _id: 1 }).limit(limit).lean().exec());
    return found.map(outboxView);
  }
}

function outboxView(row: OutboxDocument): OutboxView {
  const { _id: id, queue, eventType, operationId, subjectId, attempts, createdAt, nextAttemptAt } = row;
  return {
    id,
    queue,
    eventType,
    operationId,
    subjectId,
    attempts,
    createdAt: createdAt.toISOString(),
    nextAttemptAt: nextAttemptAt.toISOString(),
  };
}
