import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { Refusals } from '#events';
import { OidcTokens, claimedPerson } from '#openid-connect';
import type { UserState } from './domain/user.ts';
import { OidcPeople } from './oidc-people.ts';
import type { AskedBy } from './oidc-people.ts';
import { SignInTimes } from './sign-in-times.ts';
import { UNKNOWN_USER } from './unknown-user.ts';

/** Signs people in by an access token of the company's OpenID Connect provider. */
@Injectable()
export class BearerSignIn {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly tokens: OidcTokens,
    private readonly people: OidcPeople,
    private readonly times: SignInTimes,
    private readonly refusals: Refusals,
  ) {}

  /**
   * The person of the token, with the rights that its claims give. Records a refusal.
   *
   * @throws DomainError `identity-provider-unavailable`, `store-unavailable`
   */
  async signIn(token: string, askedBy: AskedBy): Promise<UserState | undefined> {
    const { ip } = askedBy;
    const { oidc } = this.config;
    const claims = await this.tokens.claimsOf(token);
    const person = claims === undefined || oidc === undefined ? undefined : claimedPerson(claims, oidc);
    if (person === undefined || oidc === undefined) {
      this.refusals.record({ operationId: null, subject: UNKNOWN_USER, reason: 'bad-bearer-token', ip });
      return undefined;
    }
    const user = await this.people.userOf(oidc.issuer, person, askedBy);
    if (user.status === 'disabled') {
      this.refusals.record({ operationId: null, subject: { type: 'user', id: user.id }, reason: 'disabled', ip });
      return undefined;
    }
    this.times.noteUser(user.id);
    const { username, roles, operationIds, auditedOperationIds = user.auditedOperationIds } = person;
    return { ...user, username, roles, operationIds, auditedOperationIds };
  }
}
