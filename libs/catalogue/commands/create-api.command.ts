import { Command } from '@nestjs/cqrs';
import type { CallContext } from '#kernel';
import type { ApiView } from '../queries/api.view.ts';

export class CreateApiCommand extends Command<ApiView> {
  constructor(
    readonly context: CallContext,
    readonly key: string,
    readonly name: string,
    readonly description: string,
  ) {
    super();
  }
}
