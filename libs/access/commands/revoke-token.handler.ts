import { CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { Refusals, UnitOfWork } from '#events';
import { Aggregate, DomainEvent, digest } from '#kernel';
import { TokenRepository } from '#tokens';
import type { TokenDocument } from '#tokens';
import { ForeignToken } from '../domain/access-error.ts';
import { TokenVerifier } from '../token-verifier.ts';
import { RevokeTokenCommand } from './revoke-token.command.ts';

@CommandHandler(RevokeTokenCommand)
export class RevokeTokenHandler implements ICommandHandler<RevokeTokenCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly tokens: TokenRepository,
    private readonly verifier: TokenVerifier,
    private readonly refusals: Refusals,
  ) {}

  /** @throws ForeignToken when it is another client's live token, which stays live; DomainError `store-unavailable` */
  async execute({ context, client, token: text }: RevokeTokenCommand): Promise<void> {
    const good = await this.verifier.verify(text);
    if (good === undefined) return;
    const { id, operationId } = client.credential;
    if (good.credential.id !== id) {
      const subject = { type: 'credential', id };
      this.refusals.record({ operationId, subject, reason: 'foreign-token', ip: context.actor.ip });
      throw new ForeignToken();
    }
    await this.unitOfWork.run(context, { chains: [operationId], altersRights: true }, async (transaction) => {
      const ended = await this.tokens.delete([digest(text)], transaction.session);
      if (ended > 0) transaction.publish(new Revocation(good.token));
    });
  }
}

/** A client ended its token. */
class Revocation extends Aggregate {
  constructor({ id, credentialId, operationId }: TokenDocument) {
    super();
    const subject = { type: 'credential', id: credentialId };
    this.record(
      new DomainEvent('token.revoked.v1', operationId, subject, { tokenIds: [id], count: 1, reason: 'revoked' }),
    );
  }
}
