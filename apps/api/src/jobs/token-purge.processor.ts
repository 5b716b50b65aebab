import { Inject } from '@nestjs/common';
import { Processor } from '@nestjs/bullmq';
import { CommandBus } from '@nestjs/cqrs';
import { UnrecoverableError } from 'bullmq';
import type { Job } from 'bullmq';
import { z } from 'zod';
import { MongoStore } from '#mongo';
import { LOGGER, Metrics } from '#observability';
import type { Logger } from '#observability';
import { PurgeTokensCommand } from '#tokens';
import { CountingProcessor } from './base.processor.ts';
import { workerOptions } from './worker-options.ts';

const payload = z.strictObject({ outboxIds: z.array(z.string()).min(1).max(100) });

/** `token-purge` job → command. */
@Processor('token-purge', workerOptions)
export class TokenPurgeProcessor extends CountingProcessor {
  constructor(
    private readonly commands: CommandBus,
    @Inject(LOGGER) logger: Logger,
    metrics: Metrics,
    store: MongoStore,
  ) {
    super(logger, metrics, store);
  }

  /** @returns how many rows of the outbox it did; 0 for a job that was delivered again */
  protected override async work(job: Job): Promise<number> {
    const { data, success } = payload.safeParse(job.data);
    // to try it again would not make it any better
    if (!success) throw new UnrecoverableError('the job names no rows of the outbox');
    return this.commands.execute(new PurgeTokensCommand(data.outboxIds));
  }
}
