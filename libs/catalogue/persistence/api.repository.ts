import { Injectable } from '@nestjs/common';
import { Schema } from 'mongoose';
import type { ClientSession, Model } from 'mongoose';
import { DomainError } from '#kernel';
import { MongoStore, TransactionConflict, isDuplicateKey } from '#mongo';
import { Api } from '../domain/api.ts';
import type { ApiState } from '../domain/api.ts';

interface ApiDocument extends Omit<ApiState, 'key'> {
  _id: string;
  /** How often something that uses the API was written; no one reads it, see `claim`. */
  claims: number;
}

// the key is the _id: unique, and what lists are ordered by
const schema = new Schema<ApiDocument>({
  _id: String,
  name: String,
  description: String,
  version: Number,
  claims: Number,
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
      await this.model.create([{ _id: key, claims: 0, ...rest }], { session });
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      throw new DomainError('key-taken', 'Another API has this key.', {
        errors: [{ pointer: '/key', code: 'key-taken', message: 'Choose another key.' }],
      });
    }
  }

  /** @throws TransactionConflict when it was changed since it was loaded */
  async save({ state: { key, ...set } }: Api, session: ClientSession): Promise<void> {
    const filter = { _id: key, version: set.version - 1 };
    const { matchedCount } = await this.model.updateOne(filter, { $set: set }, { session });
    if (matchedCount !== 1) throw new TransactionConflict();
  }

  /** @throws DomainError `not-found` */
  async delete(key: string, session: ClientSession): Promise<void> {
    const { deletedCount } = await this.model.deleteOne({ _id: key }, { session });
    if (deletedCount !== 1) throw DomainError.notFound('API');
  }

  /**
   * Makes sure that all of these APIs exist and go on to until the transaction ends: it writes to each, so of a transaction
   * that deletes one and a transaction that lets something use it, only one commits, and the other is run again.
   *
   * @param keys in the order in which the caller sent them
   * @param member the member of the request that holds them
   * @throws DomainError `unknown-api` that names `/<member>/<index>` of each that is not there
   */
  async claim(keys: readonly string[], session: ClientSession, member: 'apis' | 'add' = 'apis'): Promise<void> {
    if (keys.length === 0) return;
    const distinct = [...new Set(keys)];
    const touched = await this.model.updateMany({ _id: { $in: distinct } }, { $inc: { claims: 1 } }, { session });
    if (touched.matchedCount !== distinct.length) await this.assertKnown(keys, member, session);
  }

  /**
   * The same without holding on to them: for keys that are taken away or filtered by.
   *
   * @param keys null for an entry that is no key, which another check refuses
   * @throws DomainError `unknown-api`
   */
  async assertKnown(
    keys: readonly (string | null)[],
    member: string,
    session: ClientSession | null = null,
  ): Promise<void> {
    const distinct = [...new Set(keys)].filter((key) => key !== null);
    if (distinct.length === 0) return;
    const found = await this.model.find({ _id: { $in: distinct } }, { _id: 1 }, { session }).lean();
    const known = new Set(found.map(({ _id }) => _id));
    const unknown = keys.flatMap((key, index) => (key === null || known.has(key) ? [] : [`/${member}/${index}`]));
    if (unknown.length > 0) throw unknownApis(unknown);
  }

  /** @throws DomainError `unknown-api` that names the place of the key in the request */
  async assertIsKnown(key: string, pointer: string): Promise<void> {
    if ((await this.model.exists({ _id: key })) === null) throw unknownApis([pointer]);
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
}

function unknownApis(pointers: readonly string[]): DomainError {
  const message = 'The catalogue has no API with this key.';
  return new DomainError('unknown-api', 'Take keys of APIs that are in the catalogue.', {
    errors: pointers.map((pointer) => ({ pointer, code: 'unknown-api', message })),
  });
}

function toState({ _id, claims: _claims, ...rest }: ApiDocument): ApiState {
  return { key: _id, ...rest };
}
