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

// the key is the _id: unique, and the order of lists
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

  /** @throws TransactionConflict if it was changed since it was loaded */
  async save({ state: { key, removal: _removal, ...set } }: Api, session: ClientSession): Promise<void> {
    const filter = { _id: key, version: set.version - 1 };
    const { matchedCount } = await this.model.updateOne(filter, { $set: set }, { session });
    if (matchedCount !== 1) throw new TransactionConflict();
  }

  /** Saves a started removal. From the commit on, `claim` refuses the API. */
  async saveRemoval({ state: { key, removal } }: Api, session: ClientSession): Promise<void> {
    await this.model.updateOne({ _id: key }, { $set: { removal } }, { session });
  }

  /** The running removal of the API, if any, as of that state or later. */
  async removalOf(key: string, { floor }: Pick<FencedState, 'floor'>): Promise<ApiRemoval | undefined> {
    const query = { filter: { _id: key }, projection: { removal: 1 }, atMost: 1 };
    const [found] = (await findAfter(floor, this.model, query)).documents as Pick<ApiDocument, 'removal'>[];
    return found?.removal ?? undefined;
  }

  /** Stores the progress of a removal, unless it is complete. */
  async noteProgress(key: string, workedAt: Date, credentialsLeft: number): Promise<void> {
    const $set = { 'removal.workedAt': workedAt, 'removal.credentialsLeft': credentialsLeft };
    await this.model.updateOne({ _id: key, removal: { $type: 'object' } }, { $set });
  }

  /** Keys of APIs whose removal had no progress since then. No index serves this; the catalogue is small. */
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
   * Checks that these APIs may be granted. It only reads, so grants never conflict with each other: a deletion marks
   * the API first, then waits for grants that have not seen the mark (`ChainBarrier`). The transaction must append an
   * event to the chain of the operation (or platform) that gets the APIs.
   *
   * @param keys in the order of the request
   * @param member the member of the request that contains them
   * @throws DomainError `unknown-api` that names `/<member>/<index>` of each that does not exist or is being removed
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
   * Checks that these APIs are in the catalogue, for keys to remove or to filter by.
   *
   * @param keys null for an entry that is not a key, which another check refuses
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

  /** @throws DomainError `unknown-api` with the JSON Pointer of the key in the request */
  async assertIsKnown(key: string, pointer: string): Promise<void> {
    if ((await this.model.exists({ _id: key })) === null) throw unknownApis([{ pointer, ...UNKNOWN }]);
  }

  /** The whole catalogue, by key. */
  async all(): Promise<ApiState[]> {
    return (await this.model.find().sort({ _id: 1 }).lean()).map(toState);
  }

  /** A page of the catalogue, by key. @param after key of the last item of the previous page */
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
  message: 'This API is being removed. It can no longer be granted.',
};

function unknownApis(errors: readonly { pointer: string; code: string; message: string }[]): DomainError {
  return new DomainError('unknown-api', 'Use keys of APIs that are in the catalogue.', { errors });
}

function isBeingRemoved({ removal }: Pick<ApiDocument, 'removal'>): boolean {
  return removal !== undefined && removal !== null;
}

function toState({ _id, name, description, removal, version, createdAt, updatedAt }: ApiDocument): ApiState {
  return { key: _id, name, description, removal: removal ?? null, version, createdAt, updatedAt };
}
