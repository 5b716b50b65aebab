import { Inject } from '@nestjs/common';
import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { CONFIG } from '#config';
import type { Config } from '#config';
import type { RefusalReason } from '#event-types';
import { Refusals } from '#events';
import { DomainError } from '#kernel';
import { OidcClient, claimedPerson } from '#openid-connect';
import type { OidcFlow } from '#openid-connect';
import { OidcPeople } from '../oidc-people.ts';
import { SessionStarter } from '../session-starter.ts';
import type { Browser } from '../session-starter.ts';

/** Starts a sign-in at the OpenID Connect provider. */
export class BeginOidcSignInCommand extends Command<{ readonly url: string; readonly flow: OidcFlow }> {
  constructor(
    /** The URL to which the provider returns the browser. */
    readonly redirectUri: string,
    /** Where the browser goes after the sign-in: a path of this service. */
    readonly returnTo: string,
  ) {
    super();
  }
}

@CommandHandler(BeginOidcSignInCommand)
export class BeginOidcSignInHandler implements ICommandHandler<BeginOidcSignInCommand> {
  constructor(private readonly client: OidcClient) {}

  execute({
    redirectUri,
    returnTo,
  }: BeginOidcSignInCommand): Promise<{ readonly url: string; readonly flow: OidcFlow }> {
    return this.client.begin(redirectUri, returnTo);
  }
}

/** Completes a sign-in at the OpenID Connect provider. Returns the value of the session's cookie. */
export class FinishOidcSignInCommand extends Command<string> {
  constructor(
    readonly callback: URL,
    readonly flow: OidcFlow,
    readonly browser: Browser,
  ) {
    super();
  }
}

@CommandHandler(FinishOidcSignInCommand)
export class FinishOidcSignInHandler implements ICommandHandler<FinishOidcSignInCommand> {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly client: OidcClient,
    private readonly people: OidcPeople,
    private readonly sessionStarter: SessionStarter,
    private readonly refusals: Refusals,
  ) {}

  /** @throws DomainError `sign-in-failed`, `forbidden`, `identity-provider-unavailable`, `store-unavailable` */
  async execute({ callback, flow, browser }: FinishOidcSignInCommand): Promise<string> {
    const claims = await this.client.finish(callback, flow);
    const { oidc } = this.config;
    const person = oidc === undefined ? undefined : claimedPerson(claims, oidc);
    if (person === undefined || oidc === undefined) throw this.refusal('unknown', 'bad-subject', browser);
    const user = await this.people.userOf(oidc.issuer, person, browser, true);
    if (user.roles.length === 0) throw this.refusal(user.id, 'no-role', browser);
    const token = await this.sessionStarter.start(user.id, 'oidc', browser, ({ status }) => status === 'active');
    if (token === undefined) throw this.refusal(user.id, 'disabled', browser);
    return token;
  }

  private refusal(id: string, reason: RefusalReason, { ip }: Browser): DomainError {
    const subject = { type: id === 'unknown' ? id : 'user', id };
    this.refusals.record({ operationId: null, subject, reason, ip });
    return new DomainError(
      'forbidden',
      'You are signed in at the OpenID Connect provider, but have no access here. Ask a platform-admin to give you a role or to enable you.',
    );
  }
}
