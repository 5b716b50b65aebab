import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Schema } from 'mongoose';
import type { ClientSession, Model } from 'mongoose';
import { findAfter } from '#fence';
import type { FencedState } from '#fence';
import { DomainError } from '#kernel';
import { MongoStore, TransactionConflict, isDuplicateKey } from '#mongo';
import { Api } from '../domain/api.ts';
import type { ApiRemoval, ApiState } from '../domain/api.ts';

interface ApiDocument extends Omit<ApiState, 'key' | 'removal'> {
  _id: string;
  removal?: ApiRemoval | null;
  /** Present during a deletion without force. A grant removes it, and that deletion fails. */
  deletionId?: string;
}

// the key is the _id: unique, and what lists are ordered by
const schema = new Schema<ApiDocument>({
  _id: String,
  name: String,
  description: String,
  removal: Schema.Types.Mixed,
  deletionId: String,
  version: Number,
  createdAt: Date,
  updatedAt: Date,
});

@Injectable()
export class ApiRepository {
  private readonly model: Model<ApiDocument>;

  constructor(store: MongoStore) {
    this.model = store.model('apis', schema);
  }

  /** @throws DomainError `not-found` */
  async load(key: string, session: ClientSession | null = null): Promise<Api> {
    const document = await this.model.findById(key, null, { session }).lean();
    if (document === null) throw DomainError.notFound('API');
    return new Api(toState(document));
  }

  /** @throws DomainError `key-taken` */
  async insert({ state: { key, ...rest } }: Api, session: ClientSession): Promise<void> {
    try {
      await this.model.create([{ _id: key, ...rest }], { session });
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      throw new DomainError('key-taken', 'Another API has this key.', {
        errors: [{ pointer: '/key', code: 'key-taken', message: 'Choose another key.' }],
      });
    }
  }

  /** @throws TransactionConflict when it was changed since it was loaded */
  async save({ state: { key, removal: _removal, ...set } }: Api, session: ClientSession): Promise<void> {
    const filter = { _id: key, version: set.version - 1 };
    const { matchedCount } = await this.model.updateOne(filter, { $set: set }, { session });
    if (matchedCount !== 1) throw new TransactionConflict();
  }

  /** Saves a removal that was started. From the commit on, `claim` refuses the API. */
  async saveRemoval({ state: { key, removal } }: Api, session: ClientSession): Promise<void> {
    await this.model.updateOne({ _id: key }, { $set: { removal } }, { session });
  }

  /** The API's removal by force, if one is under way, as of that state or later. */
  async removalOf(key: string, { floor }: Pick<FencedState, 'floor'>): Promise<ApiRemoval | undefined> {
    const query = { filter: { _id: key }, projection: { removal: 1 }, atMost: 1 };
    const [found] = (await findAfter(floor, this.model, query)).documents as Pick<ApiDocument, 'removal'>[];
    return found?.removal ?? undefined;
  }

  /** Notes how far a removal is; nothing when it is over. */
  async noteProgress(key: string, workedAt: Date, credentialsLeft: number): Promise<void> {
    const $set = { 'removal.workedAt': workedAt, 'removal.credentialsLeft': credentialsLeft };
    await this.model.updateOne({ _id: key, removal: { $type: 'object' } }, { $set });
  }

  /** Keys of APIs whose removal nobody has worked on since. The catalogue is small: no index serves this. */
  async abandonedRemovals(since: Date): Promise<string[]> {
    const found = await this.model.find({ 'removal.workedAt': { $lt: since } }, { _id: 1 }).lean();
    return found.map(({ _id }) => _id);
  }

  /** Marks an unused API for deletion, until it is granted. @returns the mark, for `isReserved` */
  async reserve(key: string, session: ClientSession): Promise<string> {
    const known = await this.model.findById(key, { deletionId: 1 }, { session }).lean();
    if (known?.deletionId !== undefined) return known.deletionId;
    const deletionId = randomUUID();
    await this.model.updateOne({ _id: key }, { $set: { deletionId } }, { session });
    return deletionId;
  }

  async isReserved(key: string, deletionId: string, session: ClientSession): Promise<boolean> {
    return (await this.model.exists({ _id: key, deletionId }).session(session)) !== null;
  }

  /** @throws DomainError `not-found` */
  async delete(key: string, session: ClientSession): Promise<void> {
    const { deletedCount } = await this.model.deleteOne({ _id: key }, { session });
    if (deletedCount !== 1) throw DomainError.notFound('API');
  }

  /**
   * Makes sure that these APIs may be granted. It only reads, so grants never conflict with each other: a deletion
   * marks the API first, and then lets the grants that have not seen the mark finish (`ChainBarrier`). The transaction
   * must append an event to the chain of the operation (or platform) that is granted the APIs.
   *
   * @param keys in the order in which the caller sent them
   * @param member the member of the request that holds them
   * @throws DomainError `unknown-api` that names `/<member>/<index>` of each that is not there or is being removed
   */
  async claim(keys: readonly string[], session: ClientSession, member: 'apis' | 'add' = 'apis'): Promise<void> {
    const found = await this.states(keys, session);
    const faults = keys.flatMap((key, index) => {
      const api = found.get(key);
      if (api !== undefined && !isBeingRemoved(api)) return [];
      return [{ pointer: `/${member}/${index}`, ...(api === undefined ? UNKNOWN : BEING_REMOVED) }];
    });
    if (faults.length > 0) throw unknownApis(faults);
    const marked = [...found.values()].flatMap(({ _id, deletionId }) => (deletionId === undefined ? [] : [_id]));
    if (marked.length > 0) {
      await this.model.updateMany({ _id: { $in: marked } }, { $unset: { deletionId: 1 } }, { session });
    }
  }

  /**
   * Makes sure that these APIs are in the catalogue: for keys that are taken away or filtered by.
   *
   * @param keys null for an entry that is no key, which another check refuses
   * @throws DomainError `unknown-api`
   */
  async assertKnown(
    keys: readonly (string | null)[],
    member: string,
    session: ClientSession | null = null,
  ): Promise<void> {
    const known = await this.states(
      keys.filter((key) => key !== null),
      session,
    );
    const unknown = keys.flatMap((key, index) =>
      key === null || known.has(key) ? [] : [{ pointer: `/${member}/${index}`, ...UNKNOWN }],
    );
    if (unknown.length > 0) throw unknownApis(unknown);
  }

  /** @throws DomainError `unknown-api` that names the place of the key in the request */
  async assertIsKnown(key: string, pointer: string): Promise<void> {
    if ((await this.model.exists({ _id: key })) === null) throw unknownApis([{ pointer, ...UNKNOWN }]);
  }

  /** The whole catalogue, by key. */
  async all(): Promise<ApiState[]> {
    return (await this.model.find().sort({ _id: 1 }).lean()).map(toState);
  }

  /** A page of the catalogue, by key. @param after key of the last one of the page before */
  async list(after: string | undefined, limit: number): Promise<ApiState[]> {
    const documents = await this.model
      .find(after === undefined ? {} : { _id: { $gt: after } })
      .sort({ _id: 1 })
      .limit(limit)
      .lean();
    return documents.map(toState);
  }

  private async states(
    keys: readonly string[],
    session: ClientSession | null,
  ): Promise<ReadonlyMap<string, Pick<ApiDocument, '_id' | 'removal' | 'deletionId'>>> {
    if (keys.length === 0) return new Map();
    const filter = { _id: { $in: [...new Set(keys)] } };
    const found = await this.model.find(filter, { removal: 1, deletionId: 1 }, { session }).lean();
    return new Map(found.map((document) => [document._id, document]));
  }
}

const UNKNOWN = { code: 'unknown-api', message: 'The catalogue has no API with this key.' };
const BEING_REMOVED = {
  code: 'api-being-removed',
  message: 'This API is being removed. It cannot be granted any more.',
};

function unknownApis(errors: readonly { pointer: string; code: string; message: string }[]): DomainError {
  return new DomainError('unknown-api', 'Take keys of APIs that are in the catalogue.', { errors });
}

function isBeingRemoved({ removal }: Pick<ApiDocument, 'removal'>): boolean {
  return removal !== undefined && removal !== null;
}

function toState({ _id, name, description, removal, version, createdAt, updatedAt }: ApiDocument): ApiState {
  return { key: _id, name, description, removal: removal ?? null, version, createdAt, updatedAt };
}
