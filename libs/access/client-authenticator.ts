import { Injectable } from '@nestjs/common';
import { ResourceServerReader } from '#catalogue';
import type { ResourceServerFacts } from '#catalogue';
import { CredentialReader } from '#credentials';
import type { CredentialRecord } from '#credentials';
import { Clock, digest, isWellFormedClientId, matchSecret } from '#kernel';
import type { StoredSecret } from '#kernel';
import type { LeasedReader } from '#mongo';
import { AuthenticationFailed } from './domain/access-error.ts';
import type { Claimed } from './domain/access-error.ts';

/** A client that showed a live secret of a credential that is active. */
export interface AuthenticatedClient {
  readonly type: 'client';
  readonly credential: CredentialRecord;
  readonly secretId: string;
}

/** A resource server that showed a live secret. */
export interface AuthenticatedResourceServer {
  readonly type: 'resource-server';
  readonly resourceServer: ResourceServerFacts;
  readonly secretId: string;
}

type Secret = Pick<StoredSecret, 'id' | 'digest' | 'expiresAt'>;

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
 * Authenticates those who call the OAuth endpoints. What it goes by is at most one lease old, which is as good as the store
 * itself (docs/adr/0003-the-lease.md).
 */
@Injectable()
export class ClientAuthenticator {
  constructor(
    private readonly credentials: CredentialReader,
    private readonly resourceServers: ResourceServerReader,
    private readonly clock: Clock,
  ) {}

  /**
   * @param id a client id (`lk_ci_…`) or a resource server's id
   * @throws AuthenticationFailed with the true reason, which must not be told; DomainError `store-unavailable`
   */
  async authenticate(id: string, secret: string): Promise<AuthenticatedClient | AuthenticatedResourceServer> {
    return isWellFormedClientId(id) ? this.client(id, secret) : this.resourceServer(id, secret);
  }

  /** @throws AuthenticationFailed, DomainError `store-unavailable` */
  async client(id: string, secret: string): Promise<AuthenticatedClient> {
    const { found: credential, match } = await this.lookUp(this.credentials, id, secret);
    const nowMs = this.clock.nowMs();
    if (credential === undefined) throw new AuthenticationFailed('unknown-client');
    const claimed = claimedClient(credential);
    if (match === undefined) throw new AuthenticationFailed('wrong-secret', claimed);
    if (credential.disabled) throw new AuthenticationFailed('disabled', claimed);
    if (nowMs >= credential.expiresAtMs) throw new AuthenticationFailed('expired', claimed);
    return { type: 'client', credential, secretId: match.id };
  }

  /** @throws AuthenticationFailed, DomainError `store-unavailable` */
  async resourceServer(id: string, secret: string): Promise<AuthenticatedResourceServer> {
    const { found: resourceServer, match } = await this.lookUp(this.resourceServers, id, secret);
    if (resourceServer === undefined) throw new AuthenticationFailed('unknown-resource-server');
    if (match === undefined) {
      const subject = { type: 'resource-server', id };
      throw new AuthenticationFailed('wrong-secret', { operationId: null, subject });
    }
    this.resourceServers.noteUse(id, match.id);
    return { type: 'resource-server', resourceServer, secretId: match.id };
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

  /** @throws AuthenticationFailed when the client may not call from this address. @param address undefined: it cannot be told */
  checkAddress(client: AuthenticatedClient, address: string | undefined): void {
    this.requireAddress(client, address);
    const { credential } = client;
    if (!credential.allowedIps.admits(address)) throw new AuthenticationFailed('address', claimedClient(credential));
  }

  /**
   * Whoever has this id, and which of its secrets was shown. A wrong secret and an unknown id take the same time: both are
   * compared, and both are asked of the store, since a no that rests on what is remembered is asked there again.
   */
  private async lookUp<R extends { readonly secrets: readonly Secret[] }>(
    reader: LeasedReader<R>,
    id: string,
    secret: string,
  ): Promise<{ found: R | undefined; match: Secret | undefined }> {
    const given = digest(secret);
    const remembered = reader.peek(id);
    if (remembered !== undefined) {
      const match = matchSecret(remembered.secrets, given, this.clock.nowMs());
      if (match !== undefined) return { found: remembered, match };
    }
    const found = await reader.fresh(id);
    return { found, match: matchSecret(found?.secrets ?? NOBODYS_SECRETS, given, this.clock.nowMs()) };
  }
}

function claimedClient({ id, operationId }: CredentialRecord): Claimed {
  return { operationId, subject: { type: 'credential', id } };
}
