import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { storeUnavailable } from '#mongo';
import { ClientAuthenticator } from '../client-authenticator.ts';
import type { AuthenticatedClient } from '../client-authenticator.ts';
import { grantScope } from '../domain/scope.ts';
import { TokenIssuer } from '../token-issuer.ts';

/** A token as RFC 6749 5.1 answers it. */
export interface IssuedToken {
  readonly accessToken: string;
  readonly expiresIn: number;
  readonly scope: readonly string[];
}

/** A token request. */
export interface TokenRequest {
  /** The `scope` parameter as sent. */
  readonly scope: string | undefined;
  readonly address: string | undefined;
  readonly requestId: string;
  /** The deadline of the answer, by `performance.now()`. */
  readonly deadlineAtMs: number;
}

/** Issues an access token to an authenticated client. */
export class IssueTokenCommand extends Command<IssuedToken> {
  constructor(
    readonly client: AuthenticatedClient,
    /** Reads the presented secret, to evaluate the request again if the credential changed in the meantime. */
    readonly clientSecret: () => string,
    readonly request: TokenRequest,
  ) {
    super();
  }
}

/** The number of attempts while the credential is edited again and again. */
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
      client = await this.authenticator.client(credential.clientId, clientSecret());
    }
    throw storeUnavailable();
  }
}
