import { Command } from '@nestjs/cqrs';
import type { OperationChanges, OperationView } from '#catalogue';
import type { CallContext, ExpectedVersion } from '#kernel';

/** Changes an operation. New rules are checked against its credentials, so the command belongs to this lib. */
export class EditOperationCommand extends Command<OperationView> {
  constructor(
    readonly context: CallContext,
    readonly operationId: string,
    readonly expected: ExpectedVersion,
    readonly changes: OperationChanges,
    /** Whether a new rule is for what is written from now on only; existing credentials may break it. */
    readonly newOnly: boolean,
  ) {
    super();
  }
}
