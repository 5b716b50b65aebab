import { Injectable } from '@nestjs/common';
import type { ClientSession, Model } from 'mongoose';
import { findAfter } from '#fence';
import type { FencedState } from '#fence';
import { DomainError, nameKey } from '#kernel';
import { MongoStore, TransactionConflict, isDuplicateKey } from '#mongo';
import { ResourceServer } from '../domain/resource-server.ts';
import type { ResourceServerState } from '../domain/resource-server.ts';
import { resourceServerSchema } from './resource-server.schema.ts';
import type { ResourceServerDocument } from './resource-server.schema.ts';

/** The parts of a resource server that the OAuth endpoints need. */
export interface ResourceServerFacts {
  readonly id: string;
  readonly apis: readonly string[];
  readonly requireClientIp: boolean;
  readonly secrets: readonly { readonly id: string; readonly digest: string; readonly expiresAt: Date | null }[];
}

@Injectable()
export class ResourceServerRepository {
  private readonly model: Model<ResourceServerDocument>;

  constructor(store: MongoStore) {
    this.model = store.model('resource_servers', resourceServerSchema);
  }

  /** @throws DomainError `not-found` */
  async load(id: string, session: ClientSession | null = null): Promise<ResourceServer> {
    const document = await this.model.findById(id, null, { session }).lean();
    if (document === null) throw DomainError.notFound('resource server');
    return new ResourceServer(toState(document));
  }

  /** @throws DomainError `name-taken` */
  async insert(server: ResourceServer, session: ClientSession): Promise<void> {
    await guardName(this.model.create([toDocument(server.state)], { session }));
  }

  /** @throws DomainError `name-taken`; TransactionConflict if it was changed since it was loaded */
  async save(server: ResourceServer, session: ClientSession): Promise<void> {
    const { _id, ...set } = toDocument(server.state);
    const filter = { _id, version: server.state.version - 1 };
    const { matchedCount } = await guardName(this.model.updateOne(filter, { $set: set }, { session }).exec());
    if (matchedCount !== 1) throw new TransactionConflict();
  }

  /** @throws TransactionConflict if it was changed since it was loaded */
  async delete({ state: { id, version } }: ResourceServer, session: ClientSession): Promise<void> {
    const { deletedCount } = await this.model.deleteOne({ _id: id, version }, { session });
    if (deletedCount !== 1) throw new TransactionConflict();
  }

  /** Whether any resource server names the API. */
  async usesApi(key: string, session: ClientSession): Promise<boolean> {
    return (await this.model.exists({ apis: key }).session(session)) !== null;
  }

  /**
   * Takes the API from resource servers that name it.
   *
   * @returns the saved resource servers, at most `limit`, with events to publish
   */
  async removeApi(key: string, session: ClientSession, at: Date, atMost: number): Promise<ResourceServer[]> {
    const documents = await this.model.find({ apis: key }, null, { session }).limit(atMost).lean();
    const servers = documents.map((document) => new ResourceServer(toState(document)));
    for (const server of servers) {
      server.edit({ apis: server.state.apis.filter((api) => api !== key) }, at);
      await this.save(server, session);
    }
    return servers;
  }

  /** A page of resource servers by id. @param after id of the last item of the previous page */
  async list(after: string | undefined, limit: number): Promise<ResourceServerState[]> {
    const documents = await this.model
      .find(after === undefined ? {} : { _id: { $gt: after } })
      .sort({ _id: 1 })
      .limit(limit)
      .lean();
    return documents.map(toState);
  }

  /** The parts of these resource servers that the OAuth endpoints need, by id. */
  async facts(ids: string[], { floor }: Pick<FencedState, 'floor'>): Promise<Map<string, ResourceServerFacts>> {
    const projection = { apis: 1, requireClientIp: 1, 'secrets.id': 1, 'secrets.digest': 1, 'secrets.expiresAt': 1 };
    const query = { filter: { _id: { $in: ids } }, projection, atMost: ids.length };
    const servers = (await findAfter(floor, this.model, query)).documents as ResourceServerDocument[];
    return new Map(servers.map(({ _id, ...rest }) => [_id, { id: _id, ...rest }]));
  }

  /** The resource server that has a secret with this digest, live or not, as of the floor or later. */
  async findBySecret(digest: string, { floor }: Pick<FencedState, 'floor'>): Promise<ResourceServerState | undefined> {
    const query = { filter: { 'secrets.digest': digest }, atMost: 1 };
    const [document] = (await findAfter(floor, this.model, query)).documents;
    return document === undefined ? undefined : toState(document as ResourceServerDocument);
  }

  /** Secrets of the resource servers of these ids that exist. */
  async secretsOf(ids: readonly string[]): Promise<Pick<ResourceServerState, 'id' | 'secrets'>[]> {
    const found = await this.model.find({ _id: { $in: ids } }, { secrets: 1 }).lean();
    return found.map(({ _id, secrets }) => ({ id: _id, secrets }));
  }

  /**
   * Stores the last use of a secret, unless one after `since` is stored. The version stays the same.
   */
  async noteUse(id: string, secretId: string, at: Date, since: Date): Promise<void> {
    await this.model.updateOne(
      {
        _id: id,
        secrets: { $elemMatch: { id: secretId, $or: [{ lastUsedAt: null }, { lastUsedAt: { $lt: since } }] } },
      },
      { $set: { 'secrets.$.lastUsedAt': at } },
    );
  }
}

async function guardName<T>(write: Promise<T>): Promise<T> {
  try {
    return await write;
  } catch (error) {
    if (!isDuplicateKey(error, 'resource_server_name')) throw error;
    throw new DomainError('name-taken', 'Another resource server has this name. Names are case-insensitive.', {
      errors: [{ pointer: '/name', code: 'name-taken', message: 'Choose another name.' }],
    });
  }
}

function toState({ _id, nameKey: _key, ...rest }: ResourceServerDocument): ResourceServerState {
  return { id: _id, ...rest };
}

function toDocument({ id, ...rest }: ResourceServerState): ResourceServerDocument {
  return { _id: id, nameKey: nameKey(rest.name), ...rest };
}
