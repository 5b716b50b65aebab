import { Command } from '@nestjs/cqrs';
import type { CallContext, ExpectedVersion } from '#kernel';
import type { ApiChanges } from '../domain/api.ts';
import type { ApiView } from '../queries/api.view.ts';

export class EditApiCommand extends Command<ApiView> {
  constructor(
    readonly context: CallContext,
    readonly apiKey: string,
    readonly expected: ExpectedVersion,
    readonly changes: ApiChanges,
  ) {
    super();
  }
}
