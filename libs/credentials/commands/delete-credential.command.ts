import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { OperationRepository } from '#catalogue';
import { UnitOfWork } from '#events';
import { checkVersion } from '#kernel';
import type { CallContext } from '#kernel';
import { CredentialRepository } from '../persistence/credential.repository.ts';
import type { CredentialTarget } from './edit-credential.command.ts';

/**
 * Deletes a credential. All its tokens are worthless, on every instance, when this is answered; a worker clears them
 * away.
 */
export class DeleteCredentialCommand extends Command<void> {
  constructor(
    readonly context: CallContext,
    readonly target: CredentialTarget,
  ) {
    super();
  }
}

@CommandHandler(DeleteCredentialCommand)
export class DeleteCredentialHandler implements ICommandHandler<DeleteCredentialCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly operations: OperationRepository,
    private readonly credentials: CredentialRepository,
  ) {}

  async execute({ context, target }: DeleteCredentialCommand): Promise<void> {
    const { operationId, credentialId, expected } = target;
    await this.unitOfWork.run(context, { chains: [operationId], altersRights: true }, async (transaction) => {
      const credential = await this.credentials.load(operationId, credentialId, transaction.session);
      checkVersion(credential.state.version, expected);
      credential.delete();
      await this.credentials.delete(credential, transaction.session);
      await this.operations.countCredential(operationId, -1, transaction.session);
      transaction.publish(credential);
    });
  }
}
