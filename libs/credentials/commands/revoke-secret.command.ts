import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { UnitOfWork } from '#events';
import type { CallContext } from '#kernel';
import { TokenRepository } from '#tokens';
import { endStoredTokens } from '../end-stored-tokens.ts';
import { CredentialRepository } from '../persistence/credential.repository.ts';

/** Ends a leaked secret, even the last one, and every token: they may have been issued to the finder of the secret. */
export class RevokeSecretCommand extends Command<void> {
  constructor(
    readonly context: CallContext,
    readonly operationId: string,
    readonly credentialId: string,
    readonly secretId: string,
  ) {
    super();
  }
}

@CommandHandler(RevokeSecretCommand)
export class RevokeSecretHandler implements ICommandHandler<RevokeSecretCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly credentials: CredentialRepository,
    private readonly tokens: TokenRepository,
  ) {}

  async execute({ context, operationId, credentialId, secretId }: RevokeSecretCommand): Promise<void> {
    await this.unitOfWork.run(context, { chains: [operationId], altersRights: true }, async (transaction) => {
      const { session, at } = transaction;
      const credential = await this.credentials.load(operationId, credentialId, session);
      credential.revokeSecret(secretId, { at, by: context.actor.id });
      await this.credentials.save(credential, session);
      const live = await this.tokens.live(credentialId, at, session);
      await endStoredTokens(credential, live, 'compromised', this.tokens, session);
      transaction.publish(credential);
    });
  }
}
