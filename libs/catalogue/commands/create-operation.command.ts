import { Command } from '@nestjs/cqrs';
import type { CallContext } from '#kernel';
import type { OperationView } from '../queries/operation.view.ts';

export class CreateOperationCommand extends Command<OperationView> {
  constructor(
    readonly context: CallContext,
    readonly name: string,
    readonly requireAllowedIps: boolean,
  ) {
    super();
  }
}
