import { Command } from '@nestjs/cqrs';
import type { CallContext, ExpectedVersion } from '#kernel';
import type { UserView } from '../queries/user.view.ts';
import type { UserInput } from './create-user.command.ts';

export type UserEdits = { readonly [Member in keyof UserInput]?: UserInput[Member] | undefined };

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
