import { Injectable } from '@nestjs/common';
import { Schema } from 'mongoose';
import type { ClientSession, Model } from 'mongoose';
import { Fence, findAfter } from '#fence';
import { DomainError } from '#kernel';
import { MongoStore, TransactionConflict, isDuplicateKey } from '#mongo';
import { ApiKey, MAX_KEYS } from '../domain/api-key.ts';
import type { ApiKeyState } from '../domain/api-key.ts';

interface ApiKeyDocument extends Omit<ApiKeyState, 'id' | 'digest'> {
  /** The digest of the key. */
  _id: string;
  keyId: string;
  /** One of the slots that a service user has for keys. */
  slot: number;
}

const schema = new Schema<ApiKeyDocument>({
  _id: String,
  keyId: String,
  userId: String,
  slot: Number,
  name: String,
  expiresAt: Date,
  allowedIps: [String],
  createdAt: Date,
  lastUsedAt: Date,
});
schema.index({ userId: 1, slot: 1 }, { unique: true, name: 'api_key_slot' }); // at most two a user; serves the list

@Injectable()
export class ApiKeyRepository {
  private readonly model: Model<ApiKeyDocument>;

  constructor(
    store: MongoStore,
    private readonly fence: Fence,
  ) {
    this.model = store.model('api_keys', schema);
  }

  /** The key with this digest, as of the last fence or later. It may have expired. */
  async findByDigest(digest: string): Promise<ApiKeyState | undefined> {
    const { floor } = await this.fence.ready();
    const [document] = (await findAfter(floor, this.model, { filter: { _id: digest }, atMost: 1 })).documents;
    return document === undefined ? undefined : toState(document as ApiKeyDocument);
  }

  /** All keys of a service user, the oldest first. Some may have expired. */
  async ofUser(userId: string, session: ClientSession | null = null): Promise<ApiKey[]> {
    const documents = await this.model.find({ userId }, null, { session }).sort({ createdAt: 1, _id: 1 }).lean();
    return documents.map((document) => new ApiKey(toState(document)));
  }

  /** All keys of these service users. Some may have expired. */
  async ofUsers(userIds: readonly string[]): Promise<ApiKeyState[]> {
    return (await this.model.find({ userId: { $in: userIds } }).lean()).map(toState);
  }

  /** @throws DomainError `not-found` */
  async load(userId: string, keyId: string, session: ClientSession | null = null): Promise<ApiKey> {
    const document = await this.model.findOne({ userId, keyId }, null, { session }).lean();
    if (document === null) throw DomainError.notFound('API key');
    return new ApiKey(toState(document));
  }

  /** @throws DomainError `api-key-limit`; TransactionConflict when another key has just taken the slot */
  async insert({ state: { id, digest, ...rest } }: ApiKey, session: ClientSession): Promise<void> {
    const taken = await this.model.find({ userId: rest.userId }, { slot: 1 }, { session }).lean();
    const slot = Array.from({ length: MAX_KEYS }, (_, at) => at).find((at) =>
      taken.every((other) => other.slot !== at),
    );
    if (slot === undefined) {
      throw new DomainError('api-key-limit', `A service user has at most ${MAX_KEYS} API keys. Delete one first.`);
    }
    try {
      await this.model.create([{ _id: digest, keyId: id, slot, ...rest }], { session });
    } catch (error) {
      if (isDuplicateKey(error, 'api_key_slot'))
        throw new TransactionConflict('another key was quicker', { cause: error });
      throw error;
    }
  }

  async delete({ state: { digest } }: ApiKey, session: ClientSession): Promise<void> {
    await this.model.deleteOne({ _id: digest }, { session });
  }

  async deleteOfUser(userId: string, session: ClientSession): Promise<void> {
    await this.model.deleteMany({ userId }, { session });
  }

  async noteUse(digest: string, at: Date): Promise<void> {
    await this.model.updateOne({ _id: digest }, { $set: { lastUsedAt: at } });
  }
}

function toState(document: ApiKeyDocument): ApiKeyState {
  const { _id, keyId, userId, name, expiresAt, allowedIps, createdAt, lastUsedAt } = document;
  return { id: keyId, digest: _id, userId, name, expiresAt, allowedIps, createdAt, lastUsedAt };
}
