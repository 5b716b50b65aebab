import { Inject, Injectable } from '@nestjs/common';
import type { JWTPayload } from 'jose';
import { CONFIG } from '#config';
import type { Config } from '#config';
import type { RefusalReason } from '#event-types';
import { Refusals } from '#events';
import type { Subject } from '#kernel';
import type { UserState } from './domain/user.ts';
import { OidcTokens } from './oidc-tokens.ts';
import { PasswordSignIn } from './password-sign-in.ts';
import { ROLES } from './principal.ts';
import type { Principal, Role } from './principal.ts';
import { SessionSignIn } from './session-sign-in.ts';

/** Subjects that are taken (OpenID Connect Core 1.0, 2: `sub` has at most 255 ASCII characters). */
const SUBJECT = /^[\x20-\x7e]{1,255}$/;
/** The event log's name for one whom nobody knows. */
const UNKNOWN: Subject = { type: 'unknown', id: 'unknown' };
const LONGEST_USERNAME = 255;

/** Finds out who asks. What a person may do is read afresh at each call, so a deletion or edit is in force at once. */
@Injectable()
export class PrincipalAuthenticator {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly passwordSignIn: PasswordSignIn,
    private readonly sessionSignIn: SessionSignIn,
    private readonly oidcTokens: OidcTokens,
    private readonly refusals: Refusals,
  ) {}

  /**
   * The local user with this name and password. A refusal is recorded.
   *
   * @param ip the caller's canonical address
   * @throws DomainError `too-many-attempts`, `too-busy`, `store-unavailable`
   */
  async basic(username: string, password: string, ip: string): Promise<Principal | undefined> {
    const state = await this.passwordSignIn.signIn(username, password, ip);
    return state === undefined ? undefined : principalOf(state);
  }

  /**
   * The person whose session a cookie is. A refusal is recorded.
   *
   * @param token the value of the cookie
   * @param ip the caller's canonical address, where it is known
   * @throws DomainError `store-unavailable`
   */
  async session(token: string, ip: string | null): Promise<Principal | undefined> {
    const found = await this.sessionSignIn.resume(token);
    if (found === undefined) {
      this.refused(UNKNOWN, 'no-live-session', ip);
      return undefined;
    }
    return { ...principalOf(found.user), session: found.session };
  }

  /**
   * The person whom a token of the OpenID Connect provider is about. Roles that are not known here are ignored. A
   * refusal is recorded.
   *
   * @param ip the caller's canonical address, where it is known
   * @throws DomainError `identity-provider-unavailable` when the provider cannot be asked for its keys
   */
  async bearer(token: string, ip: string | null): Promise<Principal | undefined> {
    const claims = await this.oidcTokens.claimsOf(token);
    const { oidc } = this.config;
    if (claims === undefined || oidc === undefined || !SUBJECT.test(claims.sub)) {
      this.refused(UNKNOWN, 'bad-bearer-token', ip);
      return undefined;
    }
    return {
      // the prefix keeps a provider's subject from ever being a local user's id
      userId: `oidc:${claims.sub}`,
      username: usernameOf(claims, claims.sub),
      roles: knownRoles(texts(claimAt(claims, oidc.rolesClaim))),
      operationIds: texts(claimAt(claims, oidc.operationsClaim)),
    };
  }

  private refused(subject: Subject, reason: RefusalReason, ip: string | null): void {
    this.refusals.record({ operationId: null, subject, reason, ip });
  }
}

function principalOf(state: UserState): Principal {
  return {
    userId: state.id,
    username: state.username,
    roles: knownRoles(state.roles),
    operationIds: state.operationIds,
  };
}

function knownRoles(texts: readonly string[]): Role[] {
  return ROLES.filter((role) => texts.includes(role));
}

function usernameOf(claims: JWTPayload, subject: string): string {
  const name = claims['preferred_username'] ?? claims['email'];
  return typeof name === 'string' && name !== '' && name.length <= LONGEST_USERNAME ? name : subject;
}

/** The claim of this name; where there is none, the name is a path (Keycloak has `realm_access.roles`). */
function claimAt(claims: JWTPayload, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  return name.split('.').reduce<unknown>((value, part) => {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    return (value as Record<string, unknown>)[part];
  }, claims);
}

/** The texts of a claim that is a list, or one text with spaces between them. */
function texts(claim: unknown): string[] {
  if (typeof claim === 'string') return claim.split(' ').filter((text) => text !== '');
  return Array.isArray(claim) ? claim.filter((entry): entry is string => typeof entry === 'string') : [];
}
