import { Command } from '@nestjs/cqrs';
import type { CallContext, Rotation } from '#kernel';
import type { CredentialWithSecret } from './create-credential.command.ts';
import type { CredentialTarget } from './edit-credential.command.ts';

/** Gives the credential a new secret. `compromised` ends the old ones and every token immediately. */
export class RotateSecretCommand extends Command<CredentialWithSecret> {
  constructor(
    readonly context: CallContext,
    readonly target: CredentialTarget,
    readonly rotation: Rotation,
  ) {
    super();
  }
}
