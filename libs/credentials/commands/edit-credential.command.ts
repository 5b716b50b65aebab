import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import type { ClientSession } from 'mongoose';
import { ApiRepository, OperationRepository } from '#catalogue';
import { UnitOfWork } from '#events';
import { checkAll, checkVersion } from '#kernel';
import type { CallContext, ExpectedVersion } from '#kernel';
import { TokenRepository } from '#tokens';
import type { CredentialChanges } from '../domain/credential-changes.ts';
import { Credential } from '../domain/credential.ts';
import { checkEntitlement } from '../domain/entitlement.ts';
import type { Change } from '../domain/credential.ts';
import { CredentialRepository } from '../persistence/credential.repository.ts';
import { credentialView } from '../queries/credential.view.ts';
import type { CredentialView } from '../queries/credential.view.ts';

/** Names one credential and, where it matters, the version that the caller believes it has. */
export interface CredentialTarget {
  readonly operationId: string;
  readonly credentialId: string;
  readonly expected: ExpectedVersion;
}

/** What to do to the credential: attributes to set, or APIs to take away and to add. */
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

@CommandHandler(EditCredentialCommand)
export class EditCredentialHandler implements ICommandHandler<EditCredentialCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly operations: OperationRepository,
    private readonly apis: ApiRepository,
    private readonly credentials: CredentialRepository,
    private readonly tokens: TokenRepository,
  ) {}

  execute({ context, target, edit }: EditCredentialCommand): Promise<CredentialView> {
    const { operationId, credentialId, expected } = target;
    return this.unitOfWork.run(context, { chains: [operationId], altersRights: true }, async (transaction) => {
      const { session, at } = transaction;
      const credential = await this.credentials.load(operationId, credentialId, session);
      checkVersion(credential.state.version, expected);
      const { state: operation } = await this.operations.load(operationId, session);
      const change = { at, by: context.actor.id, operation };
      await this.check(edit, change, session);
      const changed =
        'set' in edit ? credential.edit(edit.set, change) : credential.editApis(edit.addApis, edit.removeApis, change);
      if (changed) await this.credentials.save(credential, session);
      transaction.publish(credential);
      const live = await this.tokens.countLive([credentialId], at, session);
      return credentialView(credential.state, live.get(credentialId) ?? 0, at);
    });
  }

  private check(edit: CredentialEdit, change: Change, session: ClientSession): Promise<void> {
    if ('set' in edit) {
      const { apis = [] } = edit.set;
      return checkAll(() => this.apis.claim(apis, session), ...Credential.checks(edit.set, change));
    }
    return checkAll(
      () => this.apis.claim(edit.addApis, session, 'add'),
      () => checkEntitlement(edit.addApis, 'add', change.operation),
      () => this.apis.assertKnown(edit.removeApis, 'remove', session),
    );
  }
}
