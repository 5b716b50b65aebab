import { Command } from '@nestjs/cqrs';
import type { CallContext, ExpectedVersion } from '#kernel';

export class DeleteOperationCommand extends Command<void> {
  constructor(
    readonly context: CallContext,
    readonly operationId: string,
    readonly expected: ExpectedVersion,
  ) {
    super();
  }
}
