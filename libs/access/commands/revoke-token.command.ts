import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { TokenRevoked } from '#event-types';
import { EventLog, Refusals, UnitOfWork } from '#events';
import { Aggregate, clientIdOfAccessToken, digest } from '#kernel';
import type { CallContext } from '#kernel';
import { TokenRepository, mayBeLiveElsewhere } from '#tokens';
import type { TokenSlot } from '#tokens';
import type { AuthenticatedClient } from '../client-authenticator.ts';
import { ForeignToken } from '../domain/access-error.ts';
import { TokenVerifier } from '../token-verifier.ts';

/** Ends one of the client's own tokens (RFC 7009). Whatever is no live token is ended already. */
export class RevokeTokenCommand extends Command<void> {
  constructor(
    readonly context: CallContext,
    readonly client: AuthenticatedClient,
    readonly token: string,
    /** When the caller has to be answered, by `performance.now()`. */
    readonly deadlineAtMs: number,
  ) {
    super();
  }
}

@CommandHandler(RevokeTokenCommand)
export class RevokeTokenHandler implements ICommandHandler<RevokeTokenCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly eventLog: EventLog,
    private readonly tokens: TokenRepository,
    private readonly verifier: TokenVerifier,
    private readonly refusals: Refusals,
  ) {}

  /** @throws ForeignToken when it is another client's live token, which stays live; DomainError `store-unavailable` */
  async execute(command: RevokeTokenCommand): Promise<void> {
    const clientId = clientIdOfAccessToken(command.token);
    if (clientId === undefined) return;
    if (clientId === command.client.credential.clientId) await this.end(command);
    else await this.refuseForeign(command);
  }

  /**
   * Ends the token whatever rights it has left: they might come back. Where it has ended already, the answer waits for
   * the lease all the same: another instance may have ended it a moment ago, and a 200 says that it is worthless
   * everywhere.
   */
  private async end({ context, client, token: text, deadlineAtMs }: RevokeTokenCommand): Promise<void> {
    const { id, operationId } = client.credential;
    const options = { chains: [operationId], altersRights: true, limitMs: deadlineAtMs - performance.now() };
    await this.unitOfWork.run(context, options, async (transaction) => {
      const slots = await this.tokens.slots([id], transaction.session);
      const own = slots.find(({ _id }) => _id === digest(text));
      if (own === undefined) return;
      await this.tokens.delete([own._id], transaction.session);
      if (own.expiresAt > transaction.at) transaction.publish(new Revocation(own, operationId));
      // a token that has expired was ended by nobody, but an instance whose clock is behind would go on accepting it
      else if (mayBeLiveElsewhere(own, transaction.at)) {
        await this.eventLog.touchRights(transaction.session, operationId, ['ended']);
      }
    });
  }

  private async refuseForeign({ context, client, token }: RevokeTokenCommand): Promise<void> {
    if ((await this.verifier.verify(token)) === undefined) return;
    const { id, operationId } = client.credential;
    const subject = { type: 'credential', id };
    this.refusals.record({ operationId, subject, reason: 'foreign-token', ip: context.actor.ip });
    throw new ForeignToken();
  }
}

/** A client ended its token. */
class Revocation extends Aggregate {
  constructor({ id, credentialId }: TokenSlot, operationId: string) {
    super();
    const data = { tokenIds: [id], count: 1, reason: 'revoked' } as const;
    this.record(new TokenRevoked({ operationId, id: credentialId }, data));
  }
}
