import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { UnrecoverableError } from 'bullmq';
import type { Job } from 'bullmq';
import { z } from 'zod';
import { PurgeTokensCommand } from '#tokens';
import { CountingProcessor, WorkerServices } from './base.processor.ts';

const payload = z.strictObject({ outboxIds: z.array(z.string()).min(1).max(100) });

/** `token-purge` job → command. */
@Injectable()
export class TokenPurgeProcessor extends CountingProcessor {
  constructor(
    private readonly commands: CommandBus,
    services: WorkerServices,
  ) {
    super(services, 'token-purge');
  }

  /** @returns the number of outbox rows done; 0 for a job that was delivered twice */
  protected override async work(job: Job): Promise<number> {
    const { data, success } = payload.safeParse(job.data);
    // a retry cannot succeed
    if (!success) throw new UnrecoverableError('the job has no valid outbox rows');
    return this.commands.execute(new PurgeTokensCommand(data.outboxIds));
  }
}
