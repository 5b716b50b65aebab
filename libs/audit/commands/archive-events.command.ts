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

/** What a retention did. */
export interface RetentionReport {
  /** Events that were archived and dropped from the store. */
  readonly archived: number;
  /** Sums of refusals, the same. */
  readonly refusals: number;
}

/**
 * Archives what the policy no longer keeps, and drops it from the store; nothing without a policy.
 *
 * @throws Error when a chain could not be archived; the others were
 */
export class ArchiveEventsCommand extends Command<RetentionReport> {}

const DAY_MS = 24 * 60 * 60 * 1000;

/** What is kept no longer than the policy says. */
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
        // one chain that cannot be archived keeps no other from it
        this.logger.error({ err: error, chain }, 'events not archived');
        failed.push(chain);
      }
    }
    const refusals = await this.retentions.refusals.apply(before, files);
    this.logger.info({ archived, refusals, before }, 'retention done');
    if (failed.length > 0) throw new Error(`${failed.length} chains could not be archived`);
    return { archived, refusals };
  }
}
