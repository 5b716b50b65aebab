import { Command } from '@nestjs/cqrs';
import type { CallContext } from '#kernel';
import type { CredentialTarget } from './edit-credential.command.ts';

/** Deletes a credential. All its tokens are worthless, on every instance, when this is answered; a worker clears them away. */
export class DeleteCredentialCommand extends Command<void> {
  constructor(
    readonly context: CallContext,
    readonly target: CredentialTarget,
  ) {
    super();
  }
}
