import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { JobRetried } from '#event-types';
import { Occurrence, UnitOfWork } from '#events';
import type { CallContext } from '#kernel';
import { FailedJobs } from '../failed-jobs.ts';
import type { QueueName } from '../queues.ts';

/** Retries a failed job. @throws DomainError `not-found`, `job-not-failed`, `queue-unavailable`, `store-unavailable` */
export class RetryJobCommand extends Command<void> {
  constructor(
    readonly context: CallContext,
    readonly queue: QueueName,
    readonly jobId: string,
  ) {
    super();
  }
}

/** Writes the event first: if that fails, the retry is refused. Redis cannot be part of the transaction. */
@CommandHandler(RetryJobCommand)
export class RetryJobHandler implements ICommandHandler<RetryJobCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly failedJobs: FailedJobs,
  ) {}

  async execute({ context, queue, jobId }: RetryJobCommand): Promise<void> {
    const job = await this.failedJobs.get(queue, jobId);
    const event = new JobRetried({ id: jobId }, { queue });
    await this.unitOfWork.run(context, { chains: [null] }, (transaction) => {
      transaction.publish(new Occurrence(event));
      return Promise.resolve();
    });
    await this.failedJobs.retry(queue, job);
  }
}
