import { Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { UnrecoverableError } from 'bullmq';
import type { Job } from 'bullmq';
import { z } from 'zod';
import { PurgeTokensCommand } from '#tokens';
import { QueueWorkers } from './queue-workers.ts';

const payload = z.strictObject({ outboxIds: z.array(z.string()).min(1).max(100) });

/** `token-purge` job → command. */
@Injectable()
export class TokenPurgeProcessor implements OnApplicationBootstrap {
  constructor(
    private readonly commands: CommandBus,
    private readonly workers: QueueWorkers,
  ) {}

  onApplicationBootstrap(): void {
    this.workers.run({ queue: 'token-purge', concurrency: 1, process: (job) => this.process(job) });
  }

  /** @returns the number of outbox rows done; 0 for a job that was delivered twice */
  private async process(job: Job): Promise<number> {
    const { data, success } = payload.safeParse(job.data);
    // a retry cannot succeed
    if (!success) throw new UnrecoverableError('the job has no valid outbox rows');
    return this.commands.execute(new PurgeTokensCommand(data.outboxIds));
  }
}
