import { Injectable } from '@nestjs/common';
import { ResourceServerReader } from '#catalogue';
import type { ResourceServerFacts } from '#catalogue';
import { CredentialReader } from '#credentials';
import type { CredentialRecord } from '#credentials';
import { Clock, digest, isWellFormedClientId, matchSecret } from '#kernel';
import type { StoredSecret } from '#kernel';
import { AuthenticationFailed } from './domain/access-error.ts';
import type { Claimed } from './domain/access-error.ts';

/** A client that showed a live secret of a credential that is active. */
export interface AuthenticatedClient {
  readonly type: 'client';
  readonly credential: CredentialRecord;
  readonly secretId: string;
  /** When the secret expires, in milliseconds since the epoch; Infinity for never. */
  readonly secretEndsAtMs: number;
}

/** A resource server that showed a live secret. */
export interface AuthenticatedResourceServer {
  readonly type: 'resource-server';
  readonly resourceServer: ResourceServerFacts;
  readonly secretId: string;
  readonly secretEndsAtMs: number;
}

/** What an unknown id is compared with, so that it takes as long as a wrong secret. */
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
 * Authenticates the callers of the OAuth endpoints. What it remembers is proven by the fence, which is as good as the
 * store itself (docs/adr/0003-the-lease.md).
 */
@Injectable()
export class ClientAuthenticator {
  constructor(
    private readonly credentials: CredentialReader,
    private readonly resourceServers: ResourceServerReader,
    private readonly clock: Clock,
  ) {}

  /**
   * Decides by the store as it is now. A wrong secret and an unknown id take the same time: both are compared.
   *
   * @param id a client id (`lk_ci_…`) or a resource server's id
   * @param isLimited whether its sender is over a guess limit: then the look-up waits to be shared with others
   * @throws AuthenticationFailed with the true reason, which must not be told; DomainError `store-unavailable`
   */
  async authenticate(
    id: string,
    secret: string,
    isLimited = false,
  ): Promise<AuthenticatedClient | AuthenticatedResourceServer> {
    return isWellFormedClientId(id) ? this.client(id, secret, isLimited) : this.resourceServer(id, secret, isLimited);
  }

  /**
   * The same by what is remembered, which mostly is enough for a yes. It never says no: a no that rested on what is
   * remembered would take less time than one for an unknown id, which is asked of the store.
   *
   * @returns undefined when it takes `authenticate` to decide
   */
  remembered(id: string, secret: string): AuthenticatedClient | AuthenticatedResourceServer | undefined {
    const given = digest(secret);
    const nowMs = this.clock.nowMs();
    if (isWellFormedClientId(id)) {
      const credential = this.credentials.peek(id);
      const match = matchSecret(credential?.secrets ?? NOBODYS_SECRETS, given, nowMs);
      if (credential === undefined || match === undefined) return undefined;
      if (credential.blocked !== undefined || nowMs >= credential.expiresAtMs) return undefined;
      return { type: 'client', credential, secretId: match.id, secretEndsAtMs: endOf(match) };
    }
    const resourceServer = this.resourceServers.peek(id);
    const match = matchSecret(resourceServer?.secrets ?? NOBODYS_SECRETS, given, nowMs);
    if (resourceServer === undefined || match === undefined) return undefined;
    this.resourceServers.noteUse(id, match.id);
    return { type: 'resource-server', resourceServer, secretId: match.id, secretEndsAtMs: endOf(match) };
  }

  /**
   * Whether somebody who signed in before would be let in with the same secret now. That takes the same record, proven
   * by the present state of the fence: a record that was read again is another object. Only the expiry of the secret
   * and of the credential come without a change of the record.
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

  /** By the store as it is now. @throws AuthenticationFailed, DomainError `store-unavailable` */
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
    if (credential.blocked !== undefined) throw new AuthenticationFailed(credential.blocked, claimed);
    if (nowMs >= credential.expiresAtMs) throw new AuthenticationFailed('expired', claimed);
    return { type: 'client', credential, secretId: match.id, secretEndsAtMs: endOf(match) };
  }

  /** By the store as it is now. @throws AuthenticationFailed, DomainError `store-unavailable` */
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

  /** @throws AuthenticationFailed when the caller's address cannot be told, so that guesses could not be counted */
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
   * @throws AuthenticationFailed when the client may not call from this address.
   * @param address undefined: it cannot be told
   */
  checkAddress(client: AuthenticatedClient, address: string | undefined): void {
    this.requireAddress(client, address);
    const { credential } = client;
    if (!credential.allowedIps.admits(address)) throw new AuthenticationFailed('address', claimedClient(credential));
  }
}

function endOf({ expiresAt }: Pick<StoredSecret, 'expiresAt'>): number {
  return expiresAt?.getTime() ?? Infinity;
}

function claimedClient({ id, operationId }: CredentialRecord): Claimed {
  return { operationId, subject: { type: 'credential', id } };
}
