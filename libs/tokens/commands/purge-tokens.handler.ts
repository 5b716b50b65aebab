import { CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { EventLog, UnitOfWork, systemContext } from '#events';
import type { OutboxDocument } from '#events';
import { Aggregate, DomainEvent } from '#kernel';
import { TokenRepository } from '../persistence/token.repository.ts';
import { PurgeTokensCommand } from './purge-tokens.command.ts';

/** How long a chunk may take, in milliseconds: no client waits for it. */
const PURGE_LIMIT_MS = 30_000;

/**
 * Clears the storage of tokens that died with their credential. The tokens, the `tokens.purged.v1` event of each credential and
 * the outbox rows go in one transaction: however often it is begun, it ends once. Whose tokens go stands in the outbox
 * row alone, so that no job, whatever it says, can reach another credential's.
 */
@CommandHandler(PurgeTokensCommand)
export class PurgeTokensHandler implements ICommandHandler<PurgeTokensCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly eventLog: EventLog,
    private readonly tokens: TokenRepository,
  ) {}

  async execute({ outboxIds }: PurgeTokensCommand): Promise<number> {
    const known = await this.pending(outboxIds);
    if (known.length === 0) return 0;
    const chains = known.map((row) => row.operationId);
    return this.unitOfWork.run(
      systemContext('token-purge'),
      { chains, limitMs: PURGE_LIMIT_MS },
      async (transaction) => {
        const { session } = transaction;
        const rows = await this.pending(outboxIds, session);
        const places = await this.tokens.places(
          rows.map((row) => row.subjectId),
          session,
        );
        await this.tokens.delete(
          places.map((place) => place._id),
          session,
        );
        const counts = Map.groupBy(places, (place) => place.credentialId);
        transaction.publish(...rows.map((row) => new Purge(row, counts.get(row.subjectId)?.length ?? 0)));
        await this.eventLog.outbox.deleteMany({ _id: { $in: rows.map((row) => row._id) } }, { session });
        return rows.length;
      },
    );
  }

  private pending(
    ids: readonly string[],
    session: Parameters<TokenRepository['places']>[1] | null = null,
  ): Promise<OutboxDocument[]> {
    return this.eventLog.outbox
      .find({ _id: { $in: [...ids] }, queue: 'token-purge' }, null, { session })
      .lean()
      .exec();
  }
}

/** What became of one credential's tokens. */
class Purge extends Aggregate {
  constructor(row: OutboxDocument, count: number) {
    super();
    this.record(
      new DomainEvent(
        'tokens.purged.v1',
        row.operationId,
        { type: 'credential', id: row.subjectId },
        { count, causedBy: row.eventId },
      ),
    );
  }
}
