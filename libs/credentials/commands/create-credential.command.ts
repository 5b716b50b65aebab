import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { ApiRepository, OperationRepository } from '#catalogue';
import { UnitOfWork } from '#events';
import { checkAll, digest, newClientSecret } from '#kernel';
import type { CallContext } from '#kernel';
import type { CredentialAttributes } from '../domain/credential-changes.ts';
import { Credential } from '../domain/credential.ts';
import { CredentialRepository } from '../persistence/credential.repository.ts';
import { credentialView } from '../queries/credential.view.ts';
import type { CredentialView } from '../queries/credential.view.ts';
import { FullOperationCache } from '../full-operation-cache.ts';

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

@CommandHandler(CreateCredentialCommand)
export class CreateCredentialHandler implements ICommandHandler<CreateCredentialCommand> {
  private readonly fullOperations = new FullOperationCache();

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly operations: OperationRepository,
    private readonly apis: ApiRepository,
    private readonly credentials: CredentialRepository,
  ) {}

  execute({ context, operationId, attributes }: CreateCredentialCommand): Promise<CredentialWithSecret> {
    const clientSecret = newClientSecret();
    const askedAtMs = performance.now();
    return this.unitOfWork.run(context, { chains: [operationId] }, async (transaction) => {
      const { session, at } = transaction;
      this.fullOperations.check(operationId, askedAtMs);
      const { state: operation } = await this.operations.load(operationId, session);
      const slot = await this.fullOperations.remember(operationId, () =>
        this.credentials.freeSlot(operationId, session),
      );
      const change = { at, by: context.actor.id, operation };
      await checkAll(() => this.apis.claim(attributes.apis, session), ...Credential.checks(attributes, change));
      const credential = Credential.create(operationId, slot, attributes, digest(clientSecret), change);
      await this.credentials.insert(credential, session);
      await this.operations.countCredential(operationId, 1, session);
      transaction.publish(credential);
      const view = credentialView(credential.state, 0, at);
      transaction.remember(view);
      return { view, clientSecret };
    });
  }
}
