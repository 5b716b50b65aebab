import { Command } from '@nestjs/cqrs';
import type { CallContext, ExpectedVersion } from '#kernel';

export class DeleteUserCommand extends Command<void> {
  constructor(
    readonly context: CallContext,
    readonly userId: string,
    readonly expected: ExpectedVersion,
  ) {
    super();
  }
}
