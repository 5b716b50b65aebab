import { Command } from '@nestjs/cqrs';
import type { CallContext } from '#kernel';

/** Ends live tokens of a credential: one by its public id, or all. They are worthless when this is answered. */
export class EndTokensCommand extends Command<void> {
  constructor(
    readonly context: CallContext,
    readonly operationId: string,
    readonly credentialId: string,
    /** undefined: all of them */
    readonly tokenId?: string,
  ) {
    super();
  }
}
