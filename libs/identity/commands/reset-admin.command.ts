import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { UnitOfWork, systemContext } from '#events';
import type { Transaction } from '#events';
import { bounded } from '#mongo';
import { Passwords } from '#passwords';
import { platformAdmin } from '../domain/platform-admin.ts';
import { User } from '../domain/user.ts';
import { UserRepository } from '../persistence/user.repository.ts';
import { SessionEnding } from '../session-ending.ts';

const PLATFORM_ADMIN = 'platform-admin';

/** Lets an operator with access to the database replace a lost password. */
export class ResetAdminCommand extends Command<'created' | 'reset'> {
  constructor(
    readonly username: string,
    /** Plain text here, and nowhere after the handler. */
    readonly password: string,
  ) {
    super();
  }
}

/**
 * Gives the user of this name the password and the role platform-admin, and enables it. Creates the user if it does not
 * exist.
 */
@CommandHandler(ResetAdminCommand)
export class ResetAdminHandler implements ICommandHandler<ResetAdminCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly users: UserRepository,
    private readonly passwords: Passwords,
    private readonly sessionEnding: SessionEnding,
  ) {}

  async execute({ username, password }: ResetAdminCommand): Promise<'created' | 'reset'> {
    const passwordHash = await this.passwords.hash(password);
    const found = await bounded(this.users.findByName(username));
    const options = { chains: [null], altersRights: true };
    return this.unitOfWork.run(systemContext('admin-reset'), options, async (transaction) => {
      await this.users.takeTurn(transaction.session);
      if (found === undefined) return this.create(username, passwordHash, transaction);
      const user = await this.users.load(found.state.id, transaction.session);
      user.edit({ passwordHash, roles: [...user.state.roles, PLATFORM_ADMIN], status: 'active' }, transaction.at);
      await this.users.save(user, transaction.session);
      transaction.publish(user);
      await this.sessionEnding.end(transaction, found.state.id, 'password-changed');
      return 'reset';
    });
  }

  private async create(username: string, passwordHash: string, transaction: Transaction): Promise<'created'> {
    const user = User.create(platformAdmin(username, passwordHash), transaction.at);
    await this.users.insert(user, transaction.session);
    transaction.publish(user);
    return 'created';
  }
}
