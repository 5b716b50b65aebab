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

/** What a client asked for, and how. */
export interface TokenRequest {
  /** The `scope` parameter as it was sent. */
  readonly scope: string | undefined;
  readonly address: string | undefined;
  readonly requestId: string;
  /** When the caller has to be answered, by `performance.now()`. */
  readonly deadlineAtMs: number;
}

/** Trades a client's secret for an access token. */
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
      client = await this.authenticator.client(credential.clientId, clientSecret());
    }
    throw storeUnavailable();
  }
}
