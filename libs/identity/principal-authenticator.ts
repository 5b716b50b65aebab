import { Injectable } from '@nestjs/common';
import { ROLES } from '#kernel';
import { ApiKeySignIn } from './api-key-sign-in.ts';
import { BearerSignIn } from './bearer-sign-in.ts';
import type { UserState } from './domain/user.ts';
import type { AskedBy } from './oidc-people.ts';
import { PasswordSignIn } from './password-sign-in.ts';
import type { Principal } from './principal.ts';
import { SessionSignIn } from './session-sign-in.ts';
import { SignInTimes } from './sign-in-times.ts';

/**
 * Authenticates the callers of the admin API. Reads their rights from the store at each call, so that a deletion or an
 * edit is in force immediately.
 */
@Injectable()
export class PrincipalAuthenticator {
  constructor(
    private readonly passwords: PasswordSignIn,
    private readonly sessions: SessionSignIn,
    private readonly apiKeys: ApiKeySignIn,
    private readonly bearerTokens: BearerSignIn,
    private readonly times: SignInTimes,
  ) {}

  /**
   * The local user with this name and password. Records a refusal.
   *
   * @param ip the caller's canonical address
   * @throws DomainError `too-many-attempts`, `too-busy`, `store-unavailable`
   */
  async basic(username: string, password: string, ip: string): Promise<Principal | undefined> {
    const state = await this.passwords.signIn(username, password, ip);
    if (state === undefined) return undefined;
    this.times.noteUser(state.id);
    return principalOf(state);
  }

  /**
   * The person of a session cookie. Records a refusal.
   *
   * @param token the value of the cookie
   * @param ip the caller's canonical address, if known
   * @throws DomainError `store-unavailable`
   */
  async session(token: string, ip: string | null): Promise<Principal | undefined> {
    const found = await this.sessions.resume(token, ip);
    return found === undefined ? undefined : { ...principalOf(found.user), session: found.session };
  }

  /**
   * The service user who holds the API key. Records a refusal.
   *
   * @param ip the caller's canonical address, if known
   * @throws DomainError `too-many-attempts`, `store-unavailable`
   */
  async apiKey(key: string, ip: string | null): Promise<Principal | undefined> {
    const state = await this.apiKeys.signIn(key, ip);
    return state === undefined ? undefined : principalOf(state);
  }

  /**
   * The person of a token of the OpenID Connect provider, with the rights that its claims give. Records a refusal.
   *
   * @throws DomainError `identity-provider-unavailable` when the provider cannot be asked for its keys; `store-
   * unavailable`
   */
  async bearer(token: string, askedBy: AskedBy): Promise<Principal | undefined> {
    const state = await this.bearerTokens.signIn(token, askedBy);
    return state === undefined ? undefined : principalOf(state);
  }
}

function principalOf({ id, username, kind, roles, operationIds, auditedOperationIds }: UserState): Principal {
  const known = ROLES.filter((role) => roles.includes(role));
  return { userId: id, username, kind, roles: known, operationIds, auditedOperationIds };
}
