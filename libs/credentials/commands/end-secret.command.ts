import { Command } from '@nestjs/cqrs';
import type { CallContext } from '#kernel';
import type { CredentialTarget } from './edit-credential.command.ts';

/** Ends one of a credential's two live secrets. It is refused on every instance when this is answered; tokens stay. */
export class EndSecretCommand extends Command<void> {
  constructor(
    readonly context: CallContext,
    readonly target: CredentialTarget,
    readonly secretId: string,
  ) {
    super();
  }
}
