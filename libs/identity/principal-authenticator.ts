import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '#config';
import type { Config } from '#config';
import type { RefusalReason } from '#event-types';
import { Refusals } from '#events';
import { ROLES } from '#kernel';
import type { Subject } from '#kernel';
import { OidcTokens, claimedPerson } from '#openid-connect';
import { ApiKeySignIn } from './api-key-sign-in.ts';
import type { UserState } from './domain/user.ts';
import { OidcPeople } from './oidc-people.ts';
import type { AskedBy } from './oidc-people.ts';
import { PasswordSignIn } from './password-sign-in.ts';
import { UserRepository } from './persistence/user.repository.ts';
import type { Principal } from './principal.ts';
import { SessionSignIn } from './session-sign-in.ts';
import { SignInTimes } from './sign-in-times.ts';

/** The event log's name for someone unknown. */
const UNKNOWN: Subject = { type: 'unknown', id: 'unknown' };

/** The ways to sign in. */
@Injectable()
export class SignInWays {
  constructor(
    readonly passwords: PasswordSignIn,
    readonly sessions: SessionSignIn,
    readonly apiKeys: ApiKeySignIn,
    readonly oidcTokens: OidcTokens,
    readonly oidcPeople: OidcPeople,
  ) {}
}

/**
 * Finds out who asks. What someone may do is read from the store at each call, so a deletion or edit is in force
 * immediately.
 */
@Injectable()
export class PrincipalAuthenticator {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly ways: SignInWays,
    private readonly users: UserRepository,
    private readonly times: SignInTimes,
    private readonly refusals: Refusals,
  ) {}

  /**
   * The local user with this name and password. A refusal is recorded.
   *
   * @param ip the caller's canonical address
   * @throws DomainError `too-many-attempts`, `too-busy`, `store-unavailable`
   */
  async basic(username: string, password: string, ip: string): Promise<Principal | undefined> {
    const state = await this.ways.passwords.signIn(username, password, ip);
    if (state === undefined) return undefined;
    this.noteSignIn(state);
    return principalOf(state);
  }

  /**
   * The person whose session a cookie is. A refusal is recorded.
   *
   * @param token the value of the cookie
   * @param ip the caller's canonical address, where it is known
   * @throws DomainError `store-unavailable`
   */
  async session(token: string, ip: string | null): Promise<Principal | undefined> {
    const found = await this.ways.sessions.resume(token);
    if (found !== undefined) return { ...principalOf(found.user), session: found.session };
    this.refused(UNKNOWN, 'no-live-session', ip);
    return undefined;
  }

  /**
   * The service user whose API key it is. A refusal is recorded.
   *
   * @param ip the caller's canonical address, where it is known
   * @throws DomainError `too-many-attempts`, `store-unavailable`
   */
  async apiKey(key: string, ip: string | null): Promise<Principal | undefined> {
    const state = await this.ways.apiKeys.signIn(key, ip);
    return state === undefined ? undefined : principalOf(state);
  }

  /**
   * The person whom a token of the OpenID Connect provider is about, with the rights that the token's claims give. A
   * refusal is recorded.
   *
   * @throws DomainError `identity-provider-unavailable` when the provider cannot be asked for its keys; `store-
   * unavailable`
   */
  async bearer(token: string, askedBy: AskedBy): Promise<Principal | undefined> {
    const { oidc } = this.config;
    const claims = await this.ways.oidcTokens.claimsOf(token);
    const person = claims === undefined || oidc === undefined ? undefined : claimedPerson(claims, oidc);
    if (person === undefined || oidc === undefined) {
      this.refused(UNKNOWN, 'bad-bearer-token', askedBy.ip);
      return undefined;
    }
    const user = await this.ways.oidcPeople.userOf(oidc.issuer, person, askedBy);
    if (user.status === 'disabled') {
      this.refused({ type: 'user', id: user.id }, 'disabled', askedBy.ip);
      return undefined;
    }
    this.noteSignIn(user);
    const { username, roles, operationIds, auditedOperationIds = user.auditedOperationIds } = person;
    return principalOf({ ...user, username, roles, operationIds, auditedOperationIds });
  }

  private noteSignIn({ id }: UserState): void {
    this.times.note(id, (at) => this.users.noteSignIn(id, at));
  }

  private refused(subject: Subject, reason: RefusalReason, ip: string | null): void {
    this.refusals.record({ operationId: null, subject, reason, ip });
  }
}

function principalOf({ id, username, kind, roles, operationIds, auditedOperationIds }: UserState): Principal {
  const known = ROLES.filter((role) => roles.includes(role));
  return { userId: id, username, kind, roles: known, operationIds, auditedOperationIds };
}
