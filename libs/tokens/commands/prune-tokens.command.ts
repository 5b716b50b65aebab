import { setImmediate as nextTurn } from 'node:timers/promises';
import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { TokensPruned } from '#event-types';
import { UnitOfWork, systemContext } from '#events';
import { Aggregate } from '#kernel';
import { EXPIRY_MARGIN_MS } from '../expiry-margin.ts';
import { TokenRepository } from '../persistence/token.repository.ts';

/** Deletes expired tokens in batches. @returns the number of deleted tokens */
export class PruneTokensCommand extends Command<number> {}

/** The number of tokens per transaction: far below the store's limit of 16 MiB, and less than a second. */
const BATCH_SIZE = 2_000;
const BATCH_LIMIT_MS = 30_000;

/**
 * Deletes tokens that have expired by the store's clock. Each batch is a transaction with its own event, so that tokens
 * and log agree at every moment, even if the process is killed.
 */
@CommandHandler(PruneTokensCommand)
export class PruneTokensHandler implements ICommandHandler<PruneTokensCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly tokens: TokenRepository,
  ) {}

  async execute(): Promise<number> {
    let total = 0;
    for (;;) {
      const count = await this.pruneBatch();
      total += count;
      if (count < BATCH_SIZE) return total;
      await nextTurn();
    }
  }

  private pruneBatch(): Promise<number> {
    const options = { chains: [null], limitMs: BATCH_LIMIT_MS };
    return this.unitOfWork.run(systemContext('token-prune'), options, async (transaction) => {
      const before = new Date(transaction.at.getTime() - EXPIRY_MARGIN_MS);
      const digests = await this.tokens.expired(before, BATCH_SIZE, transaction.session);
      const count = await this.tokens.delete(digests, transaction.session);
      if (count > 0) transaction.publish(new Prune(count));
      return count;
    });
  }
}

/** The event of one pruned batch. */
class Prune extends Aggregate {
  constructor(count: number) {
    super();
    this.record(new TokensPruned({ id: 'tokens' }, { count }));
  }
}
