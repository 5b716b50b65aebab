import { Command } from '@nestjs/cqrs';
import type { CallContext, ExpectedVersion } from '#kernel';

/** Ends one of a resource server's two live secrets. It is refused on every instance when this is answered. */
export class EndResourceServerSecretCommand extends Command<void> {
  constructor(
    readonly context: CallContext,
    readonly resourceServerId: string,
    readonly expected: ExpectedVersion,
    readonly secretId: string,
  ) {
    super();
  }
}
