import { Inject } from '@nestjs/common';
import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { Clock } from '#kernel';
import { LOGGER } from '#observability';
import type { Logger } from '#observability';
import { ArchiveFiles } from './archive-files.ts';
import { ChainRetention } from './chain-retention.ts';
import { RefusalRetention } from './refusal-retention.ts';

/** The result of a retention. */
export interface RetentionReport {
  /** The number of events archived and deleted from the store. */
  readonly archived: number;
  /** The number of refusal summaries archived and deleted. */
  readonly refusals: number;
}

/**
 * Archives events past their retention and deletes them from the store. Does nothing without a retention policy.
 *
 * @throws Error when a chain could not be archived; the other chains were
 */
export class ArchiveEventsCommand extends Command<RetentionReport> {}

const DAY_MS = 24 * 60 * 60 * 1000;

@CommandHandler(ArchiveEventsCommand)
export class ArchiveEventsHandler implements ICommandHandler<ArchiveEventsCommand> {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly clock: Clock,
    private readonly chains: ChainRetention,
    private readonly summaries: RefusalRetention,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async execute(): Promise<RetentionReport> {
    const { retention } = this.config;
    if (retention === undefined) return { archived: 0, refusals: 0 };
    const before = new Date(this.clock.nowMs() - retention.days * DAY_MS);
    const files = new ArchiveFiles(retention.archiveFolder);
    const { archived, failed } = await this.chains.applyToAll(before, files);
    const refusals = await this.summaries.apply(before, files);
    this.logger.info({ archived, refusals, before }, 'retention done');
    if (failed.length > 0) throw new Error(`${failed.length} chains could not be archived`);
    return { archived, refusals };
  }
}
