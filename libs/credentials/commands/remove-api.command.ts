import { Command } from '@nestjs/cqrs';
import type { CallContext, ExpectedVersion } from '#kernel';

/** Takes an API out of the catalogue; by force also out of every credential and resource server, one event each. */
export class RemoveApiCommand extends Command<void> {
  constructor(
    readonly context: CallContext,
    readonly apiKey: string,
    readonly expected: ExpectedVersion,
    readonly force: boolean,
  ) {
    super();
  }
}
