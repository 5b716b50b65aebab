import { Injectable } from '@nestjs/common';
import type { ClientSession, Model } from 'mongoose';
import { CREDENTIAL_LIMIT } from '#catalogue';
import { DomainError, literalPattern, nameKey } from '#kernel';
import { MongoStore, TransactionConflict, isDuplicateKey, updateAll } from '#mongo';
import { Credential } from '../domain/credential.ts';
import type { CredentialState } from '../domain/credential.ts';
import { credentialSchema, toDocument, toState } from './credential.schema.ts';
import type { CredentialDocument } from './credential.schema.ts';

/** A use of a credential: the secret, and the version by which the use was judged. */
export interface CredentialUse {
  readonly id: string;
  readonly clientId: string;
  readonly version: number;
  readonly secretId: string;
}

/** The filters of a list of an operation's credentials. */
export interface CredentialFilter {
  readonly name?: string | undefined;
  readonly status?: 'active' | 'disabled' | undefined;
  readonly api?: string | undefined;
}

@Injectable()
export class CredentialRepository {
  readonly model: Model<CredentialDocument>;

  constructor(store: MongoStore) {
    this.model = store.model('credentials', credentialSchema);
  }

  /** @throws DomainError `not-found`, also if it belongs to another operation */
  async load(operationId: string, id: string, session: ClientSession | null = null): Promise<Credential> {
    const document = await this.model.findOne({ _id: id, operationId }, null, { session }).lean();
    if (document === null) throw DomainError.notFound('credential');
    return new Credential(toState(document));
  }

  /** The lowest free slot of the operation. @throws DomainError `credential-limit` if all ten are taken */
  async freeSlot(operationId: string, session: ClientSession): Promise<number> {
    const taken = await this.model.find({ operationId }, { slot: 1 }, { session }).lean();
    const slots = new Set(taken.map(({ slot }) => slot));
    for (let slot = 0; slot < CREDENTIAL_LIMIT; slot += 1) if (!slots.has(slot)) return slot;
    throw new DomainError(
      'credential-limit',
      `The operation holds ${CREDENTIAL_LIMIT} credentials, which is all that it may (disabled ones count). Delete one first.`,
    );
  }

  /** @throws DomainError `name-taken`; TransactionConflict if another writer took the slot */
  async insert(credential: Credential, session: ClientSession): Promise<void> {
    await guardUniqueness(() => this.model.collection.insertOne(toDocument(credential.state) as never, { session }));
  }

  /** @throws DomainError `name-taken`; TransactionConflict if it was changed since it was loaded */
  async save(credential: Credential, session: ClientSession): Promise<void> {
    const { _id, slot: _slot, lastUsedAt: _used, ...set } = toDocument(credential.state);
    const filter = { _id, version: credential.state.version - 1 };
    const { matchedCount } = await guardUniqueness(() =>
      this.model.updateOne(filter, { $set: set }, { session }).exec(),
    );
    if (matchedCount !== 1) throw new TransactionConflict();
  }

  /** Saves changes that touch no name. @throws TransactionConflict if one of them was changed since it was loaded */
  async saveAll(credentials: readonly Credential[], session: ClientSession): Promise<void> {
    if (credentials.length === 0) return;
    const updates = credentials.map(({ state }) => {
      const { _id, slot: _slot, lastUsedAt: _used, ...set } = toDocument(state);
      return { q: { _id, version: state.version - 1 }, u: { $set: set } };
    });
    if ((await updateAll(this.model, updates, session)) !== updates.length) throw new TransactionConflict();
  }

  /** @throws TransactionConflict if it was changed since it was loaded */
  async delete(credential: Credential, session: ClientSession): Promise<void> {
    const { id, version } = credential.state;
    const { deletedCount } = await this.model.deleteOne({ _id: id, version }, { session });
    if (deletedCount !== 1) throw new TransactionConflict();
  }

  /**
   * Stores that the credentials were used. The write makes the transaction conflict with a simultaneous edit or
   * deletion of them.
   *
   * @returns client ids of credentials with another version by now; their use is not stored
   */
  async touch(uses: readonly CredentialUse[], at: Date, session: ClientSession): Promise<Set<string>> {
    if (uses.length === 0) return new Set();
    const updates = uses.map(({ id, version, secretId }) => ({
      q: { _id: id, version, 'secrets.id': secretId },
      u: { $set: { lastUsedAt: at, 'secrets.$.lastUsedAt': at } },
    }));
    if ((await updateAll(this.model, updates, session)) === uses.length) return new Set();
    const ids = uses.map(({ id }) => id);
    const current = await this.model.find({ _id: { $in: ids } }, { version: 1 }, { session }).lean();
    const versions = new Map(current.map(({ _id, version }) => [_id, version]));
    return new Set(uses.filter(({ id, version }) => versions.get(id) !== version).map(({ clientId }) => clientId));
  }

  /** A page of an operation's credentials by id. @param after id of the last item of the previous page */
  async list(
    operationId: string,
    filter: CredentialFilter,
    after: string | undefined,
    limit: number,
  ): Promise<CredentialState[]> {
    const documents = await this.model
      .find({
        operationId,
        ...(after === undefined ? {} : { _id: { $gt: after } }),
        ...(filter.name === undefined ? {} : { nameKey: { $regex: literalPattern(nameKey(filter.name)) } }),
        ...(filter.status === undefined ? {} : { status: filter.status }),
        ...(filter.api === undefined ? {} : { apis: filter.api }),
      })
      .sort({ _id: 1 })
      .limit(limit)
      .lean();
    return documents.map(toState);
  }

  /** All credentials of the operation: at most ten. */
  async ofOperation(operationId: string, session: ClientSession): Promise<Credential[]> {
    const documents = await this.model.find({ operationId }, null, { session }).sort({ _id: 1 }).lean();
    return documents.map((document) => new Credential(toState(document)));
  }

  /** All credentials of these operations: at most ten each. */
  async ofOperations(operationIds: readonly string[], session: ClientSession | null = null): Promise<Credential[]> {
    const filter = { operationId: { $in: operationIds } };
    const documents = await this.model.find(filter, null, { session }).sort({ _id: 1 }).lean();
    return documents.map((document) => new Credential(toState(document)));
  }

  /** The credentials of these operations that may call the API. */
  async withApi(apiKey: string, operationIds: readonly string[], session: ClientSession): Promise<Credential[]> {
    const filter = { operationId: { $in: operationIds }, apis: apiKey };
    const documents = await this.model.find(filter, null, { session }).lean();
    return documents.map((document) => new Credential(toState(document)));
  }

  /** Secrets of the credentials of these ids that exist. */
  async secretsOf(ids: readonly string[]): Promise<Pick<CredentialState, 'id' | 'operationId' | 'secrets'>[]> {
    const found = await this.model.find({ _id: { $in: ids } }, { operationId: 1, secrets: 1 }).lean();
    return found.map(({ _id, operationId, secrets }) => ({ id: _id, operationId, secrets }));
  }

  /** Operations with a credential that may call the API, at most `limit`. */
  async operationsWithApi(apiKey: string, atMost: number): Promise<string[]> {
    // `distinct` is not in the Stable API
    const found = await this.model.aggregate<{ _id: string }>([
      { $match: { apis: apiKey } },
      { $group: { _id: '$operationId' } },
      { $limit: atMost },
    ]);
    return found.map(({ _id }) => _id);
  }

  /** Whether any credential may call the API. */
  async usesApi(apiKey: string, session: ClientSession): Promise<boolean> {
    return (await this.model.exists({ apis: apiKey }).session(session)) !== null;
  }

  /** The number of credentials that may call the API. */
  async countWithApi(apiKey: string, session: ClientSession | null = null): Promise<number> {
    const counted = this.model.aggregate<{ count: number }>([{ $match: { apis: apiKey } }, { $count: 'count' }]);
    return (await counted.session(session))[0]?.count ?? 0;
  }
}

async function guardUniqueness<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (isDuplicateKey(error, 'credential_name')) {
      throw new DomainError(
        'name-taken',
        'Another credential of the operation has this name. Names are case-insensitive.',
        {
          errors: [{ pointer: '/name', code: 'name-taken', message: 'Choose another name.' }],
        },
      );
    }
    if (isDuplicateKey(error)) throw new TransactionConflict('another writer took the slot', { cause: error });
    throw error;
  }
}
