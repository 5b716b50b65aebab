import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { UnitOfWork } from '#events';
import { checkVersion } from '#kernel';
import type { CallContext, ExpectedVersion, Role } from '#kernel';
import { bounded } from '#mongo';
import { NewPasswords } from '#passwords';
import type { UserStatus } from '../domain/user.ts';
import { UserRepository } from '../persistence/user.repository.ts';
import { userView } from '../queries/user.view.ts';
import type { UserView } from '../queries/user.view.ts';
import { SessionEnding } from '../session-ending.ts';

export interface UserEdits {
  readonly username?: string | undefined;
  /** Plain text here, and nowhere after the handler. */
  readonly password?: string | undefined;
  readonly roles?: readonly Role[] | undefined;
  readonly operationIds?: readonly string[] | undefined;
  readonly auditedOperationIds?: readonly string[] | null | undefined;
  readonly status?: UserStatus | undefined;
}

export class EditUserCommand extends Command<UserView> {
  constructor(
    readonly context: CallContext,
    readonly userId: string,
    readonly expected: ExpectedVersion,
    readonly edits: UserEdits,
  ) {
    super();
  }
}

@CommandHandler(EditUserCommand)
export class EditUserHandler implements ICommandHandler<EditUserCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly users: UserRepository,
    private readonly newPasswords: NewPasswords,
    private readonly sessionEnding: SessionEnding,
  ) {}

  async execute({ context, userId, expected, edits: { password, ...edits } }: EditUserCommand): Promise<UserView> {
    const passwordHash = password === undefined ? undefined : await this.hashed(password, userId, edits.username);
    return this.unitOfWork.run(context, { chains: [null], altersRights: true }, async (transaction) => {
      const { session } = transaction;
      await this.users.takeTurn(session);
      const user = await this.users.load(userId, session);
      checkVersion(user.state.version, expected);
      const wasPlatformAdmin = user.isEnabledPlatformAdmin;
      const isChanged = user.edit({ ...edits, passwordHash }, transaction.at);
      const isPlatformAdmin = user.isEnabledPlatformAdmin;
      if (wasPlatformAdmin && !isPlatformAdmin) await this.users.assertAnotherPlatformAdmin(userId, session);
      if (isChanged) await this.users.save(user, session);
      transaction.publish(user);
      if (passwordHash !== undefined) await this.sessionEnding.end(transaction, userId, 'password-changed');
      else if (edits.status === 'disabled') await this.sessionEnding.end(transaction, userId, 'disabled');
      return userView(user.state);
    });
  }

  private async hashed(password: string, userId: string, newName: string | undefined): Promise<string> {
    const username = newName ?? (await bounded(this.users.load(userId))).state.username;
    return this.newPasswords.hashOf(password, username, '/password');
  }
}
