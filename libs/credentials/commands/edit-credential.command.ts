import { Command } from '@nestjs/cqrs';
import type { CallContext, ExpectedVersion } from '#kernel';
import type { CredentialChanges } from '../domain/credential-changes.ts';
import type { CredentialView } from '../queries/credential.view.ts';

/** Names one credential and, where it matters, the version that the caller believes it has. */
export interface CredentialTarget {
  readonly operationId: string;
  readonly credentialId: string;
  readonly expected: ExpectedVersion;
}

/** What to do to the credential: attributes to set, or APIs to add and remove collectively. */
export type CredentialEdit =
  { readonly set: CredentialChanges } | { readonly addApis: readonly string[]; readonly removeApis: readonly string[] };

/** Changes a credential. What is changed is in force for its live tokens, on every instance, when this is answered. */
export class EditCredentialCommand extends Command<CredentialView> {
  constructor(
    readonly context: CallContext,
    readonly target: CredentialTarget,
    readonly edit: CredentialEdit,
  ) {
    super();
  }
}
