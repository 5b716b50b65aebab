import { Injectable } from '@nestjs/common';
import { ResourceServerRepository } from '#catalogue';
import { CredentialRepository } from '#credentials';
import type { Tombstone } from '#events';
import { Clock } from '#kernel';
import { bounded } from '#mongo';
import { TokenRepository } from '#tokens';
import { PeopleResurrections } from './people-resurrections.ts';
import type { Owner, Resurrection } from './resurrection.ts';

/** A credential or resource server with its secrets. */
interface SecretOwner {
  readonly owner: Owner;
  readonly secrets: readonly { readonly id: string; readonly expiresAt: Date | null }[];
}

/** Finds live objects that have a tombstone. For disabled users see `PeopleResurrections`. */
@Injectable()
export class Resurrections {
  constructor(
    private readonly credentials: CredentialRepository,
    private readonly resourceServers: ResourceServerRepository,
    private readonly tokens: TokenRepository,
    private readonly people: PeopleResurrections,
    private readonly clock: Clock,
  ) {}

  async find(tombstones: readonly Tombstone[]): Promise<Resurrection[]> {
    const owners = await this.owners(tombstones);
    return [
      ...tombstones.flatMap((tombstone) => ownersAlive(tombstone, owners)),
      ...tombstones.flatMap((tombstone) => secretsAlive(tombstone, owners)),
      ...(await this.tokensAlive(tombstones.filter(({ kind }) => kind === 'token'))),
      ...(await this.people.find(tombstones)),
    ];
  }

  private async owners(tombstones: readonly Tombstone[]): Promise<ReadonlyMap<string, SecretOwner>> {
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
    return new Map<string, SecretOwner>([
      ...credentials.map(({ id, operationId, secrets }) => {
        return [id, { owner: { type: 'credential', id, operationId }, secrets }] as const;
      }),
      ...servers.map(({ id, secrets }) => [id, { owner: { type: 'resource-server', id }, secrets }] as const),
    ]);
  }

  private async tokensAlive(tombstones: readonly Tombstone[]): Promise<Resurrection[]> {
    const endedAt = new Map(tombstones.flatMap(({ ids, at }) => ids.map((id) => [id, new Date(at)] as const)));
    const owners = [...new Set(tombstones.flatMap(({ of }) => of ?? []))];
    if (owners.length === 0) return [];
    const live = await bounded(this.tokens.liveOf(owners, this.clock.now()));
    return live.flatMap(({ id, credentialId, operationId }) => {
      const ended = endedAt.get(id);
      const owner = { type: 'credential', id: credentialId, operationId } as const;
      return ended === undefined ? [] : [{ kind: 'token', id, owner, endedAt: ended }];
    });
  }
}

function ownersAlive({ kind, ids, at }: Tombstone, owners: ReadonlyMap<string, SecretOwner>): Resurrection[] {
  if (kind !== 'credential' && kind !== 'resource-server') return [];
  return ids.flatMap((id) => {
    const found = owners.get(id);
    return found === undefined ? [] : [{ kind, id, owner: found.owner, endedAt: new Date(at) }];
  });
}

function secretsAlive(
  { kind, ids, of, at, endsAt }: Tombstone,
  owners: ReadonlyMap<string, SecretOwner>,
): Resurrection[] {
  const found = of === undefined ? undefined : owners.get(of);
  if (kind !== 'secret' || found === undefined) return [];
  const endedAt = new Date(endsAt ?? at);
  return found.secrets
    .filter(({ id, expiresAt }) => ids.includes(id) && (expiresAt === null || expiresAt > endedAt))
    .map(({ id }) => ({ kind, id, owner: found.owner, endedAt }));
}
