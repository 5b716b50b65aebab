import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { UnitOfWork } from '#events';
import { checkVersion, digest, newClientSecret } from '#kernel';
import type { CallContext, Rotation } from '#kernel';
import { TokenRepository } from '#tokens';
import { endStoredTokens } from '../end-stored-tokens.ts';
import { CredentialRepository } from '../persistence/credential.repository.ts';
import { credentialView } from '../queries/credential.view.ts';
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

@CommandHandler(RotateSecretCommand)
export class RotateSecretHandler implements ICommandHandler<RotateSecretCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly credentials: CredentialRepository,
    private readonly tokens: TokenRepository,
  ) {}

  execute({ context, target, rotation }: RotateSecretCommand): Promise<CredentialWithSecret> {
    const { operationId, credentialId, expected } = target;
    const clientSecret = newClientSecret();
    return this.unitOfWork.run(context, { chains: [operationId], altersRights: true }, async (transaction) => {
      const { session, at } = transaction;
      const credential = await this.credentials.load(operationId, credentialId, session);
      checkVersion(credential.state.version, expected);
      credential.rotateSecret(rotation, digest(clientSecret), { at, by: context.actor.id });
      await this.credentials.save(credential, session);
      const live = await this.tokens.live(credentialId, at, session);
      if (rotation.compromised) await endStoredTokens(credential, live, 'compromised', this.tokens, session);
      transaction.publish(credential);
      const view = credentialView(credential.state, rotation.compromised ? 0 : live.length, at);
      transaction.remember(view);
      return { view, clientSecret };
    });
  }
}
