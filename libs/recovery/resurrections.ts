import { Injectable } from '@nestjs/common';
import { ResourceServerRepository } from '#catalogue';
import { CredentialRepository } from '#credentials';
import type { Tombstone } from '#events';
import { Clock } from '#kernel';
import { bounded } from '#mongo';
import { TokenRepository } from '#tokens';

/** An object that is live in the store although its tombstone says that it ended. */
export interface Resurrection {
  readonly kind: 'credential' | 'resource-server' | 'secret' | 'token';
  readonly id: string;
  /** The credential or resource server that it is or belongs to. */
  readonly owner: string;
  /** The owner's operation; null for a resource server. */
  readonly operationId: string | null;
  /** When it ended. */
  readonly endedAt: Date;
}

/** A credential or resource server with its secrets. */
interface Owner {
  readonly id: string;
  readonly operationId: string | null;
  readonly secrets: readonly { readonly id: string; readonly expiresAt: Date | null }[];
}

/** Finds live objects that have a tombstone. */
@Injectable()
export class Resurrections {
  constructor(
    private readonly credentials: CredentialRepository,
    private readonly resourceServers: ResourceServerRepository,
    private readonly tokens: TokenRepository,
    private readonly clock: Clock,
  ) {}

  async find(tombstones: readonly Tombstone[]): Promise<Resurrection[]> {
    const owners = await this.owners(tombstones);
    return [
      ...tombstones.flatMap((tombstone) => ownersAlive(tombstone, owners)),
      ...tombstones.flatMap((tombstone) => secretsAlive(tombstone, owners)),
      ...(await this.tokensAlive(tombstones.filter(({ kind }) => kind === 'token'))),
    ];
  }

  private async owners(tombstones: readonly Tombstone[]): Promise<ReadonlyMap<string, Owner>> {
    const ids = new Set<string>();
    for (const { kind, ids: own, of } of tombstones) {
      if (kind === 'credential' || kind === 'resource-server') for (const id of own) ids.add(id);
      if (kind === 'secret' && of !== undefined) ids.add(of);
    }
    if (ids.size === 0) return new Map();
    const [credentials, servers] = await Promise.all([
      bounded(this.credentials.secretsOf([...ids])),
      bounded(this.resourceServers.secretsOf([...ids])),
    ]);
    const owners: Owner[] = [...credentials, ...servers.map((server) => ({ ...server, operationId: null }))];
    return new Map(owners.map((owner) => [owner.id, owner]));
  }

  private async tokensAlive(tombstones: readonly Tombstone[]): Promise<Resurrection[]> {
    const endedAt = new Map(tombstones.flatMap(({ ids, at }) => ids.map((id) => [id, new Date(at)] as const)));
    const owners = [...new Set(tombstones.flatMap(({ of }) => of ?? []))];
    if (owners.length === 0) return [];
    const live = await bounded(this.tokens.liveOf(owners, this.clock.now()));
    return live.flatMap(({ id, credentialId, operationId }) => {
      const ended = endedAt.get(id);
      return ended === undefined ? [] : [{ kind: 'token', id, owner: credentialId, operationId, endedAt: ended }];
    });
  }
}

function ownersAlive({ kind, ids, at }: Tombstone, owners: ReadonlyMap<string, Owner>): Resurrection[] {
  if (kind !== 'credential' && kind !== 'resource-server') return [];
  return ids.flatMap((id) => {
    const owner = owners.get(id);
    return owner === undefined ? [] : [{ kind, id, owner: id, operationId: owner.operationId, endedAt: new Date(at) }];
  });
}

function secretsAlive({ kind, ids, of, at, endsAt }: Tombstone, owners: ReadonlyMap<string, Owner>): Resurrection[] {
  const owner = of === undefined ? undefined : owners.get(of);
  if (kind !== 'secret' || owner === undefined) return [];
  const endedAt = new Date(endsAt ?? at);
  return owner.secrets
    .filter(({ id, expiresAt }) => ids.includes(id) && (expiresAt === null || expiresAt > endedAt))
    .map(({ id }) => ({ kind, id, owner: owner.id, operationId: owner.operationId, endedAt }));
}

/** When each of these secrets ended, by its id. */
export function endsOf(secrets: readonly Resurrection[]): ReadonlyMap<string, Date> {
  return new Map(secrets.map(({ id, endedAt }) => [id, endedAt]));
}
