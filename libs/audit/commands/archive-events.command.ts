import { Inject, Injectable } from '@nestjs/common';
import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { Stopping } from '#events';
import { Clock } from '#kernel';
import { LOGGER } from '#observability';
import type { Logger } from '#observability';
import { ChainReader } from '../reading/chain-reader.ts';
import { ArchiveFiles } from '../retention/archive-files.ts';
import { ChainRetention } from '../retention/chain-retention.ts';
import { RefusalRetention } from '../retention/refusal-retention.ts';

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

/** The retention of chains and of refusals. */
@Injectable()
export class Retentions {
  constructor(
    readonly chains: ChainRetention,
    readonly refusals: RefusalRetention,
    readonly stopping: Stopping,
  ) {}
}

@CommandHandler(ArchiveEventsCommand)
export class ArchiveEventsHandler implements ICommandHandler<ArchiveEventsCommand> {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly clock: Clock,
    private readonly reader: ChainReader,
    private readonly retentions: Retentions,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async execute(): Promise<RetentionReport> {
    const { retention } = this.config;
    if (retention === undefined) return { archived: 0, refusals: 0 };
    const before = new Date(this.clock.nowMs() - retention.days * DAY_MS);
    const files = new ArchiveFiles(retention.archiveFolder);
    let archived = 0;
    const failed: string[] = [];
    for (const { chain } of await this.reader.extents()) {
      this.retentions.stopping.check();
      try {
        archived += await this.retentions.chains.apply(chain, before, files);
      } catch (error) {
        // continue with the other chains
        this.logger.error({ err: error, chain }, 'cannot archive the events of a chain');
        failed.push(chain);
      }
    }
    const refusals = await this.retentions.refusals.apply(before, files);
    this.logger.info({ archived, refusals, before }, 'retention done');
    if (failed.length > 0) throw new Error(`${failed.length} chains could not be archived`);
    return { archived, refusals };
  }
}
