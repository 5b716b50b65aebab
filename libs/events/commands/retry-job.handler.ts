import { CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { DomainEvent } from '#kernel';
import { FailedJobs } from '../jobs/failed-jobs.ts';
import { Occurrence } from '../occurrence.ts';
import { UnitOfWork } from '../unit-of-work.ts';
import { RetryJobCommand } from './retry-job.command.ts';

/** The log is told first: an action that cannot be told of is refused. Redis has no part in the transaction. */
@CommandHandler(RetryJobCommand)
export class RetryJobHandler implements ICommandHandler<RetryJobCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly failedJobs: FailedJobs,
  ) {}

  async execute({ context, queue, jobId }: RetryJobCommand): Promise<void> {
    const job = await this.failedJobs.get(queue, jobId);
    const event = new DomainEvent('job.retried.v1', null, { type: 'job', id: jobId }, { queue });
    await this.unitOfWork.run(context, { chains: [null] }, (transaction) => {
      transaction.publish(new Occurrence(event));
      return Promise.resolve();
    });
    await this.failedJobs.retry(queue, job);
  }
}
