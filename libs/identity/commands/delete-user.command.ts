import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { UnitOfWork } from '#events';
import { checkVersion } from '#kernel';
import type { CallContext, ExpectedVersion } from '#kernel';
import { ApiKeyRepository } from '../persistence/api-key.repository.ts';
import { UserRepository } from '../persistence/user.repository.ts';
import { SessionEnding } from '../session-ending.ts';

export class DeleteUserCommand extends Command<void> {
  constructor(
    readonly context: CallContext,
    readonly userId: string,
    readonly expected: ExpectedVersion,
  ) {
    super();
  }
}

@CommandHandler(DeleteUserCommand)
export class DeleteUserHandler implements ICommandHandler<DeleteUserCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly users: UserRepository,
    private readonly keys: ApiKeyRepository,
    private readonly sessionEnding: SessionEnding,
  ) {}

  async execute({ context, userId, expected }: DeleteUserCommand): Promise<void> {
    await this.unitOfWork.run(context, { chains: [null], altersRights: true }, async (transaction) => {
      const { session } = transaction;
      await this.users.takeTurn(session);
      const user = await this.users.load(userId, session);
      checkVersion(user.state.version, expected);
      if (user.isEnabledPlatformAdmin) await this.users.assertAnotherPlatformAdmin(userId, session);
      user.delete();
      await this.users.delete(user, session);
      await this.keys.deleteOfUser(userId, session);
      await this.sessionEnding.end(transaction, userId, 'ended-by-admin');
      transaction.publish(user);
    });
  }
}
