import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { UnitOfWork } from '#events';
import { checkVersion } from '#kernel';
import type { CallContext } from '#kernel';
import { CredentialRepository } from '../persistence/credential.repository.ts';
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

@CommandHandler(EndSecretCommand)
export class EndSecretHandler implements ICommandHandler<EndSecretCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly credentials: CredentialRepository,
  ) {}

  async execute({ context, target, secretId }: EndSecretCommand): Promise<void> {
    const { operationId, credentialId, expected } = target;
    await this.unitOfWork.run(context, { chains: [operationId], altersRights: true }, async (transaction) => {
      const { session, at } = transaction;
      const credential = await this.credentials.load(operationId, credentialId, session);
      checkVersion(credential.state.version, expected);
      credential.endSecret(secretId, { at, by: context.actor.id });
      await this.credentials.save(credential, session);
      transaction.publish(credential);
    });
  }
}
