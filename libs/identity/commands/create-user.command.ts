import { Command } from '@nestjs/cqrs';
import type { CallContext } from '#kernel';
import type { Role } from '../principal.ts';
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
