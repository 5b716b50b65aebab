import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { Occurrence, UnitOfWork, inHalves, systemContext } from '#events';
import { Clock } from '#kernel';
import { DAY_MS } from '../domain/inherited-rules.ts';
import { NOTICE_DAYS } from '../domain/ends.ts';
import { dueNotices } from '../domain/notices.ts';
import { GovernedCredentials } from '../persistence/governed-credentials.ts';
import { EndingCredentials } from '../persistence/ending-credentials.ts';
import { NoticeRepository } from '../persistence/notice.repository.ts';

/** Writes the events about what ends soon (docs/adr/0051-notices.md). @returns how many were written */
export class WriteNoticesCommand extends Command<number> {}

/** Operations per unit of work, so at most 200 credentials per transaction. */
const OPERATIONS_EACH = 20;
const UNIT_LIMIT_MS = 30_000;

@CommandHandler(WriteNoticesCommand)
export class WriteNoticesHandler implements ICommandHandler<WriteNoticesCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly ending: EndingCredentials,
    private readonly credentials: GovernedCredentials,
    private readonly notices: NoticeRepository,
    private readonly clock: Clock,
  ) {}

  async execute(): Promise<number> {
    const now = this.clock.now();
    let written = 0;
    for await (const batch of this.ending.between(now, new Date(now.getTime() + NOTICE_DAYS * DAY_MS))) {
      const due = (await this.credentials.govern(batch)).flatMap(({ state, operation }) =>
        dueNotices(state, operation.policy, now).map((notice) => ({ ...notice, operationId: operation.id })),
      );
      const unwritten = await this.notices.unwritten(due);
      const operationIds = [...new Set(unwritten.map(({ operationId }) => operationId))];
      for (let from = 0; from < operationIds.length; from += OPERATIONS_EACH) {
        const part = operationIds.slice(from, from + OPERATIONS_EACH);
        written += await inHalves(part, (some, tryOnce) => this.writeFor(some, tryOnce));
      }
    }
    return written;
  }

  /** Judges the credentials of these operations again, as the transaction sees them. */
  private writeFor(operationIds: readonly string[], tryOnce: boolean): Promise<number> {
    const options = { chains: operationIds, limitMs: UNIT_LIMIT_MS, tryOnce };
    return this.unitOfWork.run(systemContext('notices'), options, async (transaction) => {
      const { session, at } = transaction;
      const credentials = await this.credentials.ofOperationIds(operationIds, session);
      const due = credentials.flatMap(({ state, operation }) => dueNotices(state, operation.policy, at));
      const unwritten = await this.notices.unwritten(due, session);
      await this.notices.add(unwritten, session);
      transaction.publish(...unwritten.map(({ event }) => new Occurrence(event)));
      return unwritten.length;
    });
  }
}
