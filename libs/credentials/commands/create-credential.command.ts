import { Command } from '@nestjs/cqrs';
import type { CallContext } from '#kernel';
import type { CredentialAttributes } from '../domain/credential-changes.ts';
import type { CredentialView } from '../queries/credential.view.ts';

/** A credential and, this once, a secret of it. */
export interface CredentialWithSecret {
  readonly view: CredentialView;
  readonly clientSecret: string;
}

/** Creates a credential in the operation. */
export class CreateCredentialCommand extends Command<CredentialWithSecret> {
  constructor(
    readonly context: CallContext,
    readonly operationId: string,
    readonly attributes: CredentialAttributes,
  ) {
    super();
  }
}
