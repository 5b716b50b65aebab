import { Aggregate, DomainEvent, firstSecret, newId, rotateSecret } from '#kernel';
import type { Rotation, StoredSecret } from '#kernel';

/** The state of a resource server. `apis` has no duplicates and is sorted; of its secrets only digests are kept. */
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

/** An API or gateway that asks whether tokens are good; it may ask only about the APIs that it names. */
export class ResourceServer extends Aggregate {
  constructor(readonly state: ResourceServerState) {
    super();
  }

  /** @param secretDigest of its first secret (`digest`), never the secret */
  static create({ name, apis, requireClientIp }: NewResourceServer, secretDigest: string, at: Date): ResourceServer {
    const server = new ResourceServer({
      id: newId('rs'),
      name,
      apis: asSet(apis),
      requireClientIp,
      secrets: [firstSecret(secretDigest, at)],
      version: 1,
      createdAt: at,
      updatedAt: at,
    });
    server.tell('resource-server.created.v1', { name, apis: server.state.apis, requireClientIp });
    return server;
  }

  /** Changes what is given. Nothing given, or nothing that differs, is no change and no event. @returns whether it changed */
  edit(changes: ResourceServerChanges, at: Date): boolean {
    const { state } = this;
    const changed: Record<string, string | boolean | readonly string[]> = {};
    if (changes.name !== undefined && changes.name !== state.name) changed['name'] = state.name = changes.name;
    if (changes.requireClientIp !== undefined && changes.requireClientIp !== state.requireClientIp) {
      changed['requireClientIp'] = state.requireClientIp = changes.requireClientIp;
    }
    const apis = changes.apis === undefined ? state.apis : asSet(changes.apis);
    if (apis.join(' ') !== state.apis.join(' ')) changed['apis'] = state.apis = apis;
    if (Object.keys(changed).length === 0) return false;
    this.touch(at);
    this.tell('resource-server.updated.v1', { changed });
    return true;
  }

  /** @param newDigest digest of the secret that is current from now on */
  rotateSecret(rotation: Rotation, newDigest: string, at: Date): void {
    const { state } = this;
    state.secrets = rotateSecret(state.secrets, rotation, newDigest, at);
    this.touch(at);
    const [current, previous] = state.secrets;
    this.tell('resource-server.secret-rotated.v1', {
      secretId: current?.id ?? null,
      previousSecretId: previous?.id ?? null,
      previousEndsAt: previous?.expiresAt?.toISOString() ?? null,
      compromised: rotation.compromised,
    });
  }

  delete(): void {
    this.tell('resource-server.deleted.v1', { name: this.state.name });
  }

  private touch(at: Date): void {
    this.state.version += 1;
    this.state.updatedAt = at;
  }

  private tell(type: string, data: DomainEvent['data']): void {
    this.record(new DomainEvent(type, null, { type: 'resource-server', id: this.state.id }, data));
  }
}

/** Without duplicates, in one order; keys hold no spaces. */
function asSet(keys: readonly string[]): string[] {
  return [...new Set(keys)].sort();
}
