import { Injectable } from '@nestjs/common';
import { ResourceServerReader } from '#catalogue';
import type { ResourceServerFacts } from '#catalogue';
import { CredentialReader } from '#credentials';
import type { CredentialRecord } from '#credentials';
import { Clock, digest, isWellFormedClientId, matchSecret } from '#kernel';
import type { StoredSecret } from '#kernel';
import { AuthenticationFailed } from './domain/access-error.ts';
import type { Claimed } from './domain/access-error.ts';
import { refusalOfAddress, refusalOfState } from './domain/judgement.ts';

/** A client with a live secret of an active credential. */
export interface AuthenticatedClient {
  readonly type: 'client';
  readonly credential: CredentialRecord;
  readonly secretId: string;
  /** When the secret expires, in milliseconds since the epoch; Infinity if never. */
  readonly secretEndsAtMs: number;
}

/** A resource server with a live secret. */
export interface AuthenticatedResourceServer {
  readonly type: 'resource-server';
  readonly resourceServer: ResourceServerFacts;
  readonly secretId: string;
  readonly secretEndsAtMs: number;
}

/** Compared with the secret of an unknown id, so that it takes as long as a wrong secret. */
const NOBODYS_SECRETS: readonly StoredSecret[] = [
  {
    id: 'none',
    digest: digest('no one knows this one'),
    createdAt: new Date(0),
    expiresAt: new Date(0),
    lastUsedAt: null,
  },
];

/**
 * Authenticates the callers of the OAuth endpoints. It uses cached records only while the fence proves them
 * (docs/adr/0003-the-lease.md).
 */
@Injectable()
export class ClientAuthenticator {
  constructor(
    private readonly credentials: CredentialReader,
    private readonly resourceServers: ResourceServerReader,
    private readonly clock: Clock,
  ) {}

  /**
   * Reads the store. A wrong secret and an unknown id take the same time, because both are compared.
   *
   * @param id a client id (`lk_ci_…`) or a resource server's id
   * @param isLimited whether its sender is over a guess limit; then its query is shared with others
   * @throws AuthenticationFailed with the true reason, which must not be revealed; DomainError `store-unavailable`
   */
  async authenticate(
    id: string,
    secret: string,
    isLimited = false,
  ): Promise<AuthenticatedClient | AuthenticatedResourceServer> {
    return isWellFormedClientId(id) ? this.client(id, secret, isLimited) : this.resourceServer(id, secret, isLimited);
  }

  /**
   * Authenticates from the cache, which is usually enough. It never says no: a no from the cache would be faster than
   * the one for an unknown id, which needs a query.
   *
   * @returns undefined if `authenticate` has to decide
   */
  remembered(id: string, secret: string): AuthenticatedClient | AuthenticatedResourceServer | undefined {
    const given = digest(secret);
    const nowMs = this.clock.nowMs();
    if (isWellFormedClientId(id)) {
      const credential = this.credentials.peek(id);
      const match = matchSecret(credential?.secrets ?? NOBODYS_SECRETS, given, nowMs);
      if (credential === undefined || match === undefined) return undefined;
      if (refusalOfState(credential, nowMs) !== undefined) return undefined;
      return { type: 'client', credential, secretId: match.id, secretEndsAtMs: endOf(match) };
    }
    const resourceServer = this.resourceServers.peek(id);
    const match = matchSecret(resourceServer?.secrets ?? NOBODYS_SECRETS, given, nowMs);
    if (resourceServer === undefined || match === undefined) return undefined;
    this.resourceServers.noteUse(id, match.id);
    return { type: 'resource-server', resourceServer, secretId: match.id, secretEndsAtMs: endOf(match) };
  }

  /**
   * Whether an earlier sign-in is still valid. It needs the same record, proven by the current state of the fence: a
   * record that was read again is another object. Only the expiry of secret and credential do not change the record.
   */
  isStillSignedIn(user: AuthenticatedClient | AuthenticatedResourceServer): boolean {
    const nowMs = this.clock.nowMs();
    if (nowMs >= user.secretEndsAtMs) return false;
    if (user.type === 'client') {
      const { credential } = user;
      return this.credentials.peek(credential.clientId) === credential && nowMs < credential.expiresAtMs;
    }
    const { resourceServer, secretId } = user;
    if (this.resourceServers.peek(resourceServer.id) !== resourceServer) return false;
    this.resourceServers.noteUse(resourceServer.id, secretId);
    return true;
  }

  /** Reads the store. @throws AuthenticationFailed, DomainError `store-unavailable` */
  async client(id: string, secret: string, isLimited = false): Promise<AuthenticatedClient> {
    const credential = await (isLimited ? this.credentials.freshCollected(id) : this.credentials.fresh(id));
    const nowMs = this.clock.nowMs();
    const secrets = credential?.secrets ?? NOBODYS_SECRETS;
    const given = digest(secret);
    const match = matchSecret(secrets, given, nowMs);
    // compared for everyone, so that an expired secret takes no longer than an unknown one
    const isKnown = matchSecret(secrets, given, -Infinity) !== undefined;
    if (credential === undefined) throw new AuthenticationFailed('unknown-client');
    const claimed = claimedClient(credential);
    if (match === undefined) throw new AuthenticationFailed(isKnown ? 'expired-secret' : 'wrong-secret', claimed);
    const refusal = refusalOfState(credential, nowMs);
    if (refusal !== undefined) throw new AuthenticationFailed(refusal, claimed);
    return { type: 'client', credential, secretId: match.id, secretEndsAtMs: endOf(match) };
  }

  /** Reads the store. @throws AuthenticationFailed, DomainError `store-unavailable` */
  async resourceServer(id: string, secret: string, isLimited = false): Promise<AuthenticatedResourceServer> {
    const { resourceServers } = this;
    const resourceServer = await (isLimited ? resourceServers.freshCollected(id) : resourceServers.fresh(id));
    const match = matchSecret(resourceServer?.secrets ?? NOBODYS_SECRETS, digest(secret), this.clock.nowMs());
    if (resourceServer === undefined) throw new AuthenticationFailed('unknown-resource-server');
    if (match === undefined) {
      const subject = { type: 'resource-server', id };
      throw new AuthenticationFailed('wrong-secret', { operationId: null, subject });
    }
    this.resourceServers.noteUse(id, match.id);
    return { type: 'resource-server', resourceServer, secretId: match.id, secretEndsAtMs: endOf(match) };
  }

  /** @throws AuthenticationFailed if the caller's address is unknown, because guesses could not be counted */
  requireAddress(
    user: AuthenticatedClient | AuthenticatedResourceServer,
    address: string | undefined,
  ): asserts address is string {
    if (address !== undefined) return;
    const claimed =
      user.type === 'client'
        ? claimedClient(user.credential)
        : { operationId: null, subject: { type: 'resource-server', id: user.resourceServer.id } };
    throw new AuthenticationFailed('no-address', claimed);
  }

  /**
   * @param address undefined if unknown
   * @throws AuthenticationFailed if the client may not call from this address
   */
  checkAddress(client: AuthenticatedClient, address: string | undefined): void {
    this.requireAddress(client, address);
    const { credential } = client;
    const refusal = refusalOfAddress(credential, address);
    if (refusal !== undefined) throw new AuthenticationFailed(refusal, claimedClient(credential));
  }
}

function endOf({ expiresAt }: Pick<StoredSecret, 'expiresAt'>): number {
  return expiresAt?.getTime() ?? Infinity;
}

function claimedClient({ id, operationId }: CredentialRecord): Claimed {
  return { operationId, subject: { type: 'credential', id } };
}
