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

/** Revokes one of the client's own tokens (RFC 7009). Any text that is not a live token counts as revoked already. */
export class RevokeTokenCommand extends Command<void> {
  constructor(
    readonly context: CallContext,
    readonly client: AuthenticatedClient,
    readonly token: string,
    /** The deadline of the answer, by `performance.now()`. */
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

  /** @throws ForeignToken if it is a live token of another client, which stays live; DomainError `store-unavailable` */
  async execute(command: RevokeTokenCommand): Promise<void> {
    const clientId = clientIdOfAccessToken(command.token);
    if (clientId === undefined) return;
    if (clientId === command.client.credential.clientId) await this.end(command);
    else await this.refuseForeign(command);
  }

  /**
   * Ends the token even if it has no rights left, because they could come back. If it has ended already, the answer
   * still waits for the lease: another instance may just have ended it, and 200 means that no instance accepts it.
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
      // an expired token was not revoked, but an instance whose clock is behind would still accept it
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

/** The event of a revocation by the client. */
class Revocation extends Aggregate {
  constructor({ id, credentialId }: TokenSlot, operationId: string) {
    super();
    const data = { tokenIds: [id], count: 1, reason: 'revoked' } as const;
    this.record(new TokenRevoked({ operationId, id: credentialId }, data));
  }
}
