import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { TokensPurged } from '#event-types';
import { EventLog, UnitOfWork, inHalves, systemContext } from '#events';
import type { OutboxDocument } from '#events';
import { Aggregate } from '#kernel';
import { TokenRepository } from '../persistence/token.repository.ts';

/** Deletes the tokens of the credentials in these outbox rows. @returns the number of rows that were still pending */
export class PurgeTokensCommand extends Command<number> {
  constructor(readonly outboxIds: readonly string[]) {
    super();
  }
}

/** The time limit for one chunk. No client waits for it. */
const PURGE_LIMIT_MS = 30_000;

/**
 * Deletes the tokens of deleted credentials, in one transaction with each `tokens.purged.v1` and the outbox rows. Only
 * the rows name the credentials, so no job, forged or repeated, can delete other tokens.
 */
@CommandHandler(PurgeTokensCommand)
export class PurgeTokensHandler implements ICommandHandler<PurgeTokensCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly eventLog: EventLog,
    private readonly tokens: TokenRepository,
  ) {}

  async execute({ outboxIds }: PurgeTokensCommand): Promise<number> {
    const rows = await this.pending(outboxIds);
    const byOperation = [...Map.groupBy(rows, (row) => row.operationId).values()];
    if (byOperation.length === 0) return 0;
    return inHalves(byOperation, (some, tryOnce) => this.purgeTogether(some.flat(), tryOnce));
  }

  private purgeTogether(known: readonly OutboxDocument[], tryOnce: boolean): Promise<number> {
    const chains = known.map((row) => row.operationId);
    const ids = known.map((row) => row._id);
    const options = { chains, tryOnce, limitMs: PURGE_LIMIT_MS };
    return this.unitOfWork.run(systemContext('token-purge'), options, async (transaction) => {
      const { session } = transaction;
      const rows = await this.pending(ids, session);
      const credentialIds = rows.map((row) => row.subjectId);
      const slots = await this.tokens.slots(credentialIds, session);
      const digests = slots.map((taken) => taken._id);
      await this.tokens.delete(digests, session);
      const counts = Map.groupBy(slots, (taken) => taken.credentialId);
      transaction.publish(...rows.map((row) => new Purge(row, counts.get(row.subjectId)?.length ?? 0)));
      await this.eventLog.outbox.deleteMany({ _id: { $in: rows.map((row) => row._id) } }, { session });
      return rows.length;
    });
  }

  private pending(
    ids: readonly string[],
    session: Parameters<TokenRepository['slots']>[1] | null = null,
  ): Promise<OutboxDocument[]> {
    return this.eventLog.outbox
      .find({ _id: { $in: [...ids] }, queue: 'token-purge' }, null, { session })
      .lean()
      .exec();
  }
}

/** The event of the purge of one credential's tokens. */
class Purge extends Aggregate {
  constructor(row: OutboxDocument, count: number) {
    super();
    const { operationId, subjectId, eventId } = row;
    this.record(new TokensPurged({ operationId, id: subjectId }, { count, causedBy: eventId }));
  }
}
