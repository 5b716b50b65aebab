import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { UnitOfWork } from '#events';
import type { CallContext } from '#kernel';
import { User } from '../domain/user.ts';
import { NewPasswords } from '../new-passwords.ts';
import { UserRepository } from '../persistence/user.repository.ts';
import type { Role } from '../principal.ts';
import { userView } from '../queries/user.view.ts';
import type { UserView } from '../queries/user.view.ts';

/** What a person is to be: the password is in clear here, and nowhere after the handler. */
export interface UserInput {
  readonly username: string;
  readonly password: string;
  readonly roles: readonly Role[];
  readonly operationIds: readonly string[];
}

export class CreateUserCommand extends Command<UserView> {
  constructor(
    readonly context: CallContext,
    readonly user: UserInput,
  ) {
    super();
  }
}

@CommandHandler(CreateUserCommand)
export class CreateUserHandler implements ICommandHandler<CreateUserCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly users: UserRepository,
    private readonly newPasswords: NewPasswords,
  ) {}

  async execute({ context, user: { password, ...rest } }: CreateUserCommand): Promise<UserView> {
    const passwordHash = await this.newPasswords.hashOf(password, rest.username, '/password');
    return this.unitOfWork.run(context, { chains: [null] }, async (transaction) => {
      const user = User.create({ ...rest, passwordHash }, transaction.at);
      await this.users.insert(user, transaction.session);
      transaction.publish(user);
      const view = userView(user.state);
      transaction.remember(view);
      return view;
    });
  }
}
