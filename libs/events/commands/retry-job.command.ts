import { Command } from '@nestjs/cqrs';
import type { CallContext } from '#kernel';
import type { QueueName } from '../queues.ts';

/** Has a failed job tried once more. @throws DomainError `not-found`, `job-not-failed`, `queue-unavailable`, `store-unavailable` */
export class RetryJobCommand extends Command<void> {
  constructor(
    readonly context: CallContext,
    readonly queue: QueueName,
    readonly jobId: string,
  ) {
    super();
  }
}
