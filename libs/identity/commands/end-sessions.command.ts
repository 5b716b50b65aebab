import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { UnitOfWork } from '#events';
import { DomainError } from '#kernel';
import type { CallContext } from '#kernel';
import { SessionEnding } from '../session-ending.ts';
import type { SessionEnd } from '../domain/session.ts';
import { UserRepository } from '../persistence/user.repository.ts';

/** Ends one session of a person, or all of them. */
export class EndSessionsCommand extends Command<void> {
  constructor(
    readonly context: CallContext,
    readonly userId: string,
    /** The session to end; all if undefined. */
    readonly sessionId: string | undefined,
    readonly reason: SessionEnd,
  ) {
    super();
  }
}

@CommandHandler(EndSessionsCommand)
export class EndSessionsHandler implements ICommandHandler<EndSessionsCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly users: UserRepository,
    private readonly sessionEnding: SessionEnding,
  ) {}

  async execute({ context, userId, sessionId, reason }: EndSessionsCommand): Promise<void> {
    await this.unitOfWork.run(context, { chains: [null], altersRights: true }, async (transaction) => {
      if (sessionId === undefined) await this.users.load(userId, transaction.session);
      const isMeant = ({ id }: { readonly id: string }): boolean => sessionId === undefined || id === sessionId;
      const ended = await this.sessionEnding.end(transaction, userId, reason, isMeant);
      if (sessionId !== undefined && ended === 0) throw DomainError.notFound('session');
    });
  }
}
