import { Command } from '@nestjs/cqrs';
import type { CallContext, ExpectedVersion } from '#kernel';
import type { OperationChanges } from '../domain/operation.ts';
import type { OperationView } from '../queries/operation.view.ts';

export class EditOperationCommand extends Command<OperationView> {
  constructor(
    readonly context: CallContext,
    readonly operationId: string,
    readonly expected: ExpectedVersion,
    readonly changes: OperationChanges,
  ) {
    super();
  }
}
