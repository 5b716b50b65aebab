import { Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { Command } from '@nestjs/cqrs';
import { UnrecoverableError } from 'bullmq';
import type { Job } from 'bullmq';
import { QueueWorkers } from './queue-workers.ts';
import { schedules } from './schedules.ts';

/** More than one, so that a long job, such as signing a long log, does not delay the others. */
const CONCURRENCY = 3;

/** `maintenance` job → the command that its schedule names. */
@Injectable()
export class MaintenanceProcessor implements OnApplicationBootstrap {
  constructor(
    private readonly commands: CommandBus,
    private readonly workers: QueueWorkers,
  ) {}

  onApplicationBootstrap(): void {
    this.workers.run({ queue: 'maintenance', concurrency: CONCURRENCY, process: (job) => this.process(job) });
  }

  private async process(job: Job): Promise<unknown> {
    const schedule = Object.hasOwn(schedules, job.name) ? schedules[job.name] : undefined;
    if (schedule === undefined) throw new UnrecoverableError('unknown maintenance job');
    return this.commands.execute<Command<unknown>, unknown>(schedule.command());
  }
}
