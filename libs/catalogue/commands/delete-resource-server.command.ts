import { Command } from '@nestjs/cqrs';
import type { CallContext, ExpectedVersion } from '#kernel';

export class DeleteResourceServerCommand extends Command<void> {
  constructor(
    readonly context: CallContext,
    readonly resourceServerId: string,
    readonly expected: ExpectedVersion,
  ) {
    super();
  }
}
