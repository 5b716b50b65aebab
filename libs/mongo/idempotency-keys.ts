import { Injectable } from '@nestjs/common';
import { Schema } from 'mongoose';
import type { ClientSession, Model } from 'mongoose';
import { Clock, DomainError } from '#kernel';
import { MongoStore } from './mongo-store.ts';
import { bounded, isDuplicateKey } from './store-errors.ts';

const RETENTION_MS = 24 * 60 * 60 * 1000;
/** After this time another request may take over a reservation whose holder never finished. */
const RESERVATION_MS = 30_000;

interface ReservationDocument {
  _id: string;
  bodyDigest: string;
  done: boolean;
  result: unknown;
  reservedUntil: Date;
  expiresAt: Date;
}

const schema = new Schema<ReservationDocument>(
  {
    _id: String,
    bodyDigest: { type: String, required: true },
    done: { type: Boolean, required: true },
    result: Schema.Types.Mixed,
    reservedUntil: { type: Date, required: true },
    expiresAt: { type: Date, required: true },
  },
  { minimize: false },
);
schema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 }); // serves: expiry of keys after 24 hours

/** The state of a request's Idempotency-Key. */
export type Reservation = { readonly state: 'reserved' } | { readonly state: 'done'; readonly result: unknown };

/**
 * Implements `Idempotency-Key`: the same key and body have one effect within 24 hours. A key is reserved before the
 * work and completed in the transaction that does the work, so a crash leaves both or neither.
 */
@Injectable()
export class IdempotencyKeys {
  private readonly model: Model<ReservationDocument>;

  constructor(
    store: MongoStore,
    private readonly clock: Clock,
  ) {
    this.model = store.model('idempotency_keys', schema);
  }

  /**
   * @param id digest of the caller, the request and the key
   * @param bodyDigest digest of the request's body
   * @throws DomainError `idempotency-key-reused` for another body, `idempotency-key-in-use` while the first is running
   */
  async reserve(id: string, bodyDigest: string): Promise<Reservation> {
    const now = this.clock.nowMs();
    const fresh = {
      bodyDigest,
      done: false,
      result: null,
      reservedUntil: new Date(now + RESERVATION_MS),
      expiresAt: new Date(now + RETENTION_MS),
    };
    try {
      await bounded(this.model.collection.insertOne({ _id: id, ...fresh } as never));
      return { state: 'reserved' };
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
    const held = await bounded(this.model.findById(id).lean().exec());
    if (held !== null && held.expiresAt.getTime() > now) {
      if (held.bodyDigest !== bodyDigest) {
        throw new DomainError(
          'idempotency-key-reused',
          'This Idempotency-Key was used with another request. Send a new key with each new request.',
        );
      }
      if (held.done) return { state: 'done', result: held.result };
      if (held.reservedUntil.getTime() > now) throw inUse();
    }
    return this.takeOver(id, held, fresh);
  }

  /**
   * Call it in the transaction that did the work.
   * @throws DomainError `idempotency-key-in-use` if another took it over
   */
  async complete(session: ClientSession, id: string, result: unknown): Promise<void> {
    const { matchedCount } = await this.model.collection.updateOne(
      { _id: id as never, done: false },
      { $set: { done: true, result } },
      { session },
    );
    if (matchedCount !== 1) throw inUse();
  }

  /** Frees the key after a request that changed nothing, so that the caller can retry with it. */
  async release(id: string): Promise<void> {
    await bounded(this.model.deleteOne({ _id: id, done: false }).exec());
  }

  private async takeOver(
    id: string,
    held: ReservationDocument | null,
    fresh: Omit<ReservationDocument, '_id'>,
  ): Promise<Reservation> {
    if (held === null) throw inUse(); // released a moment ago
    const { matchedCount } = await bounded(
      this.model.collection.updateOne(
        { _id: id as never, done: held.done, reservedUntil: held.reservedUntil },
        { $set: fresh },
      ),
    );
    if (matchedCount !== 1) throw inUse();
    return { state: 'reserved' };
  }
}

function inUse(): DomainError {
  return new DomainError(
    'idempotency-key-in-use',
    'A request with this Idempotency-Key is still running. Try again in a moment.',
    {
      retryAfterSeconds: 1,
    },
  );
}
