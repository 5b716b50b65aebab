import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { UnitOfWork } from '#events';
import type { CallContext, Role } from '#kernel';
import { NewPasswords } from '#passwords';
import { User } from '../domain/user.ts';
import type { UserKind } from '../domain/user.ts';
import { UserRepository } from '../persistence/user.repository.ts';
import { userView } from '../queries/user.view.ts';
import type { UserView } from '../queries/user.view.ts';

/** A user to create. */
export interface UserInput {
  readonly username: string;
  readonly kind: UserKind;
  /** Plain text here, and nowhere after the handler; undefined for a service user. */
  readonly password?: string | undefined;
  readonly roles: readonly Role[];
  readonly operationIds: readonly string[];
  readonly auditedOperationIds: readonly string[] | null;
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
    const passwordHash =
      password === undefined ? null : await this.newPasswords.hashOf(password, rest.username, '/password');
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
