import {
  ResourceServerCreated,
  ResourceServerDeleted,
  ResourceServerSecretEnded,
  ResourceServerSecretRevoked,
  ResourceServerSecretRotated,
  ResourceServerSecretsReconciled,
  ResourceServerUpdated,
} from '#event-types';
import { Aggregate, SecretSet, differences, newId } from '#kernel';
import type { Rotation, StoredSecret } from '#kernel';

/** The state of a resource server. `apis` is sorted and without duplicates. Only digests of secrets are stored. */
export interface ResourceServerState {
  readonly id: string;
  name: string;
  apis: readonly string[];
  requireClientIp: boolean;
  secrets: readonly StoredSecret[];
  version: number;
  readonly createdAt: Date;
  updatedAt: Date;
}

export interface NewResourceServer {
  readonly name: string;
  readonly apis: readonly string[];
  readonly requireClientIp: boolean;
}

export type ResourceServerChanges = {
  readonly [Member in keyof NewResourceServer]?: NewResourceServer[Member] | undefined;
};

/** An API or gateway that introspects tokens, for the APIs that it names. */
export class ResourceServer extends Aggregate {
  constructor(readonly state: ResourceServerState) {
    super();
  }

  /** @param secretDigest the digest of its first secret, never the secret itself */
  static create({ name, apis, requireClientIp }: NewResourceServer, secretDigest: string, at: Date): ResourceServer {
    const secret = SecretSet.first(secretDigest, at);
    const server = new ResourceServer({
      id: newId('rs'),
      name,
      apis: asSet(apis),
      requireClientIp,
      secrets: [secret],
      version: 1,
      createdAt: at,
      updatedAt: at,
    });
    server.record(
      new ResourceServerCreated(server.target, { secretId: secret.id, name, apis: server.state.apis, requireClientIp }),
    );
    return server;
  }

  /** Changes the given attributes. An edit that changes nothing emits no event. @returns whether it changed */
  edit(changes: ResourceServerChanges, at: Date): boolean {
    const { name, requireClientIp } = this.state;
    const before = { name, apis: asSet(this.state.apis), requireClientIp };
    const after = {
      name: changes.name ?? name,
      apis: changes.apis === undefined ? before.apis : asSet(changes.apis),
      requireClientIp: changes.requireClientIp ?? requireClientIp,
    };
    const difference = differences(before, after);
    if (difference === undefined) return false;
    this.change(after, at);
    this.record(new ResourceServerUpdated(this.target, difference));
    return true;
  }

  /**
   * @param newDigest the digest of the new current secret
   * @throws DomainError `rotation-in-progress`
   */
  rotateSecret(rotation: Rotation, newDigest: string, at: Date): void {
    const { secrets, data } = new SecretSet(this.state.secrets, at).rotate(rotation, newDigest);
    this.change({ secrets }, at);
    this.record(new ResourceServerSecretRotated(this.target, data));
  }

  /**
   * Ends one of two live secrets immediately.
   *
   * @throws DomainError `not-found`, `last-secret`
   */
  endSecret(secretId: string, at: Date): void {
    const { secrets, data } = new SecretSet(this.state.secrets, at).end(secretId);
    this.change({ secrets }, at);
    this.record(new ResourceServerSecretEnded(this.target, data));
  }

  /** Ends a secret that leaked, even the last one. @throws DomainError `not-found` */
  revokeSecret(secretId: string, at: Date): void {
    const { secrets, data } = new SecretSet(this.state.secrets, at).revoke(secretId);
    this.change({ secrets }, at);
    this.record(new ResourceServerSecretRevoked(this.target, data));
  }

  /** @param options `reconciled`: it was deleted before, and a restored backup revived it */
  delete({ reconciled = false } = {}): void {
    this.record(
      new ResourceServerDeleted(this.target, { name: this.state.name, ...(reconciled ? { reconciled } : {}) }),
    );
  }

  /** Ends secrets that a restored backup revived. @param ends when each secret ended, by id */
  endSecretsAgain(ends: ReadonlyMap<string, Date>, at: Date): void {
    const secrets = this.state.secrets.map((secret) => ({
      ...secret,
      expiresAt: ends.get(secret.id) ?? secret.expiresAt,
    }));
    this.change({ secrets }, at);
    this.record(new ResourceServerSecretsReconciled(this.target, { secretIds: [...ends.keys()] }));
  }

  private change(set: Partial<ResourceServerState>, at: Date): void {
    Object.assign(this.state, set, { version: this.state.version + 1, updatedAt: at });
  }

  private get target(): { readonly id: string } {
    return { id: this.state.id };
  }
}

/** Without duplicates, sorted. */
function asSet(keys: readonly string[]): string[] {
  return [...new Set(keys)].sort();
}
