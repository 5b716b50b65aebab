import { Injectable } from '@nestjs/common';
import { Schema } from 'mongoose';
import type { ClientSession, Model } from 'mongoose';
import { Fence, LeasedReader, findAfter } from '#fence';
import type { FencedState } from '#fence';
import { MongoStore, TransactionConflict, deleteAll, findAll, insertAll, isDuplicateKey } from '#mongo';
import { EXPIRY_MARGIN_MS } from '../expiry-margin.ts';

/** The maximum number of live tokens of a credential. */
export const TOKEN_LIMIT = 10;

/** About a kilobyte each. */
const MAX_CACHED_TOKENS = 100_000;

const NAME = 'tokens';

/** A stored token. `_id` is the SHA-256 of the token (base64url); `id` is its public id. */
export interface TokenDocument {
  _id: string;
  id: string;
  credentialId: string;
  operationId: string;
  clientId: string;
  slot: number;
  scope: string[];
  issuedAt: Date;
  expiresAt: Date;
  issuedTo: string | null;
}

const schema = new Schema<TokenDocument>(
  {
    _id: String,
    id: String,
    credentialId: String,
    operationId: String,
    clientId: String,
    slot: Number,
    scope: [String],
    issuedAt: Date,
    expiresAt: Date,
    issuedTo: String,
  },
  { id: false },
);
schema.index({ credentialId: 1, slot: 1 }, { unique: true }); // at most ten, also under races; serves list, purge
schema.index({ expiresAt: 1 }); // serves the pruning

/** The part of a token that is needed to choose a slot for another one. */
export type TokenSlot = Pick<TokenDocument, '_id' | 'id' | 'credentialId' | 'slot' | 'expiresAt' | 'issuedAt'>;

@Injectable()
export class TokenRepository {
  private readonly model: Model<TokenDocument>;
  /** Cached tokens by digest, validated by the fence. */
  readonly reader: LeasedReader<TokenDocument>;

  constructor(store: MongoStore, fence: Fence) {
    this.model = store.model(NAME, schema);
    this.reader = new LeasedReader(fence, {
      load: (digests, state) => this.findByDigests(digests, state),
      scopeOf: ({ operationId }) => operationId,
      dependsOn: 'rights and ended',
      endsAtMs: ({ expiresAt }) => expiresAt.getTime() - EXPIRY_MARGIN_MS,
      capacity: MAX_CACHED_TOKENS,
    });
  }

  /** All stored tokens of the credentials, expired ones included: at most ten each. */
  async slots(credentialIds: readonly string[], session: ClientSession): Promise<TokenSlot[]> {
    const filter = { credentialId: { $in: [...credentialIds] } };
    const projection = { id: 1, credentialId: 1, slot: 1, expiresAt: 1, issuedAt: 1 };
    const atMost = credentialIds.length * TOKEN_LIMIT;
    return (await findAll(this.model, { filter, projection, atMost }, session)) as TokenSlot[];
  }

  /** @throws TransactionConflict when another writer took a slot */
  async insert(tokens: readonly TokenDocument[], session: ClientSession): Promise<void> {
    try {
      await insertAll(this.model, tokens, session);
    } catch (error) {
      if (isDuplicateKey(error)) throw new TransactionConflict('another writer took a slot', { cause: error });
      throw error;
    }
  }

  /** Deletes by digest. @returns the number of deleted tokens */
  async delete(digests: readonly string[], session: ClientSession): Promise<number> {
    if (digests.length === 0) return 0;
    const deletedCount = await deleteAll(this.model, { _id: { $in: [...digests] } }, session);
    for (const digest of digests) this.reader.forget(digest);
    return deletedCount;
  }

  async live(credentialId: string, now: Date, session: ClientSession | null = null): Promise<TokenDocument[]> {
    return this.model
      .find({ credentialId, expiresAt: { $gt: now } }, null, { session })
      .sort({ issuedAt: 1, _id: 1 })
      .lean();
  }

  /** Live tokens of several credentials. */
  async liveOf(
    credentialIds: readonly string[],
    now: Date,
    session: ClientSession | null = null,
  ): Promise<TokenDocument[]> {
    const filter = { credentialId: { $in: credentialIds }, expiresAt: { $gt: now } };
    return this.model.find(filter, null, { session }).lean();
  }

  /** The number of live tokens of each credential. */
  async countLive(
    credentialIds: readonly string[],
    now: Date,
    session: ClientSession | null = null,
  ): Promise<Map<string, number>> {
    const counts = await this.model.aggregate<{ _id: string; count: number }>(
      [
        { $match: { credentialId: { $in: [...credentialIds] }, expiresAt: { $gt: now } } },
        { $group: { _id: '$credentialId', count: { $sum: 1 } } },
      ],
      session === null ? {} : { session },
    );
    return new Map(counts.map(({ _id, count }) => [_id, count]));
  }

  /** Digests of tokens that expired before `now`, in the order of expiry. */
  async expired(now: Date, limit: number, session: ClientSession): Promise<string[]> {
    const found = this.model.collection.find(
      { expiresAt: { $lte: now } },
      { session, projection: { _id: 1 }, sort: { expiresAt: 1 }, limit },
    );
    return (await found.toArray()).map((token) => String(token._id));
  }

  private async findByDigests(digests: string[], { floor }: FencedState): Promise<Map<string, TokenDocument>> {
    const query = { filter: { _id: { $in: digests } }, atMost: digests.length };
    const tokens = (await findAfter(floor, this.model, query)).documents as TokenDocument[];
    return new Map(tokens.map((token) => [token._id, token]));
  }
}
