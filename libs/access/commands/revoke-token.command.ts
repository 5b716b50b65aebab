import { Command } from '@nestjs/cqrs';
import type { CallContext } from '#kernel';
import type { AuthenticatedClient } from '../client-authenticator.ts';

/** Ends one of the client's own tokens (RFC 7009). Whatever is no live token is ended already. */
export class RevokeTokenCommand extends Command<void> {
  constructor(
    readonly context: CallContext,
    readonly client: AuthenticatedClient,
    readonly token: string,
    /** When the caller has to be answered, by `performance.now()`. */
    readonly deadlineAtMs: number,
  ) {
    super();
  }
}
