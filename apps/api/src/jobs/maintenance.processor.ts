import { Inject } from '@nestjs/common';
import { Processor } from '@nestjs/bullmq';
import { CommandBus } from '@nestjs/cqrs';
import type { Command } from '@nestjs/cqrs';
import { UnrecoverableError } from 'bullmq';
import type { Job } from 'bullmq';
import { MongoStore } from '#mongo';
import { LOGGER, Metrics } from '#observability';
import type { Logger } from '#observability';
import { CountingProcessor } from './base.processor.ts';
import { schedules } from './schedules.ts';
import { workerOptions } from './worker-options.ts';

/** A job that takes long, as signing a long log, must not keep the others waiting. */
const AT_ONCE = 3;

/** `maintenance` job → the command that its schedule names. */
@Processor('maintenance', { ...workerOptions, concurrency: AT_ONCE })
export class MaintenanceProcessor extends CountingProcessor {
  constructor(
    private readonly commands: CommandBus,
    @Inject(LOGGER) logger: Logger,
    metrics: Metrics,
    store: MongoStore,
  ) {
    super(logger, metrics, store);
  }

  protected override async work(job: Job): Promise<unknown> {
    const schedule = Object.hasOwn(schedules, job.name) ? schedules[job.name] : undefined;
    if (schedule === undefined) throw new UnrecoverableError('there is no such maintenance');
    return this.commands.execute<Command<unknown>, unknown>(schedule.command());
  }
}
