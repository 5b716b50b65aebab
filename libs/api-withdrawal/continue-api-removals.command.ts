import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { ApiRepository } from '#catalogue';
import { Clock } from '#kernel';
import { bounded } from '#mongo';
import { ApiRemovals } from './api-removals.ts';

/** A removal that nobody has worked on for this long was left by an instance that ended, in milliseconds. */
const ABANDONED_AFTER_MS = 10_000;

/** Finishes removals of APIs that another instance began and left. @returns how many there were */
export class ContinueApiRemovalsCommand extends Command<number> {}

@CommandHandler(ContinueApiRemovalsCommand)
export class ContinueApiRemovalsHandler implements ICommandHandler<ContinueApiRemovalsCommand> {
  constructor(
    private readonly apis: ApiRepository,
    private readonly removals: ApiRemovals,
    private readonly clock: Clock,
  ) {}

  async execute(): Promise<number> {
    const since = new Date(this.clock.nowMs() - ABANDONED_AFTER_MS);
    const keys = await bounded(this.apis.abandonedRemovals(since));
    await Promise.all(keys.map((key) => this.removals.finish(key)));
    return keys.length;
  }
}
