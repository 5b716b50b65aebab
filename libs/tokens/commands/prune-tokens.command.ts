import { setImmediate as nextTurn } from 'node:timers/promises';
import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { TokensPruned } from '#event-types';
import { UnitOfWork, systemContext } from '#events';
import { Aggregate } from '#kernel';
import { EXPIRY_MARGIN_MS } from '../expiry-margin.ts';
import { TokenRepository } from '../persistence/token.repository.ts';

/** Deletes tokens that have run out, in batches. @returns how many were deleted */
export class PruneTokensCommand extends Command<number> {}

/** Tokens of one transaction: it stays far below the store's 16 MiB a transaction, and below a second. */
const BATCH = 2_000;
const BATCH_LIMIT_MS = 30_000;

/**
 * Deletes tokens whose time is over by the store's clock. Each batch is a transaction with its own event, so that what
 * is deleted and what the log says are the same at every moment, also when the process is killed in between.
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
      if (count < BATCH) return total;
      await nextTurn();
    }
  }

  private pruneBatch(): Promise<number> {
    const options = { chains: [null], limitMs: BATCH_LIMIT_MS };
    return this.unitOfWork.run(systemContext('token-prune'), options, async (transaction) => {
      const before = new Date(transaction.at.getTime() - EXPIRY_MARGIN_MS);
      const digests = await this.tokens.expired(before, BATCH, transaction.session);
      const count = await this.tokens.delete(digests, transaction.session);
      if (count > 0) transaction.publish(new Prune(count));
      return count;
    });
  }
}

/** One batch of expired tokens gone. */
class Prune extends Aggregate {
  constructor(count: number) {
    super();
    this.record(new TokensPruned({ id: 'tokens' }, { count }));
  }
}
