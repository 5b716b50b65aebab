import { CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { storeUnavailable } from '#mongo';
import { ClientAuthenticator } from '../client-authenticator.ts';
import { grantScope } from '../domain/scope.ts';
import { TokenIssuer } from '../token-issuer.ts';
import { IssueTokenCommand } from './issue-token.command.ts';
import type { IssuedToken } from './issue-token.command.ts';

/** A credential that is edited as fast as it is read gives up after so many tries. */
const TRIES = 5;

@CommandHandler(IssueTokenCommand)
export class IssueTokenHandler implements ICommandHandler<IssueTokenCommand> {
  constructor(
    private readonly authenticator: ClientAuthenticator,
    private readonly issuer: TokenIssuer,
  ) {}

  /** @throws AuthenticationFailed, ScopeRefused, TokenLimitReached, DomainError `store-unavailable` */
  async execute(command: IssueTokenCommand): Promise<IssuedToken> {
    const { clientSecret } = command;
    const { scope, address, requestId, deadlineAtMs } = command.request;
    let { client } = command;
    for (let tries = 1; tries <= TRIES; tries += 1) {
      this.authenticator.checkAddress(client, address);
      const { credential, secretId } = client;
      const request = {
        credential,
        secretId,
        scope: grantScope(scope, credential.apis),
        ip: address ?? null,
        requestId,
        deadlineAtMs,
      };
      const outcome = await this.issuer.issue(request);
      if (!outcome.stale) return outcome;
      client = await this.authenticator.client(credential.clientId, clientSecret);
    }
    throw storeUnavailable();
  }
}
