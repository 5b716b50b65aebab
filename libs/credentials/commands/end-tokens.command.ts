import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { UnitOfWork } from '#events';
import { DomainError } from '#kernel';
import type { CallContext } from '#kernel';
import { TokenRepository } from '#tokens';
import { endStoredTokens } from '../end-stored-tokens.ts';
import { CredentialRepository } from '../persistence/credential.repository.ts';

/** Ends live tokens of a credential: one by its public id, or all. They are worthless when this is answered. */
export class EndTokensCommand extends Command<void> {
  constructor(
    readonly context: CallContext,
    readonly operationId: string,
    readonly credentialId: string,
    /** undefined: all of them */
    readonly tokenId?: string,
    readonly reason: 'revoked' | 'compromised' = 'revoked',
  ) {
    super();
  }
}

@CommandHandler(EndTokensCommand)
export class EndTokensHandler implements ICommandHandler<EndTokensCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly credentials: CredentialRepository,
    private readonly tokens: TokenRepository,
  ) {}

  async execute({ context, operationId, credentialId, tokenId, reason }: EndTokensCommand): Promise<void> {
    await this.unitOfWork.run(context, { chains: [operationId], altersRights: true }, async (transaction) => {
      const { session, at } = transaction;
      const credential = await this.credentials.load(operationId, credentialId, session);
      const live = await this.tokens.live(credentialId, at, session);
      const ended = tokenId === undefined ? live : live.filter(({ id }) => id === tokenId);
      if (tokenId !== undefined && ended.length === 0) throw DomainError.notFound('live token');
      await endStoredTokens(credential, ended, reason, this.tokens, session);
      transaction.publish(credential);
    });
  }
}
