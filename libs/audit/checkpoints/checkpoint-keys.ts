import { generateKeyPairSync } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { ClientSession, Model } from 'mongoose';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { CheckpointKeyRotated } from '#event-types';
import { DomainError } from '#kernel';
import { MongoStore, Settings, bounded } from '#mongo';
import { checkpointSigner } from './checkpoints.ts';
import type { CheckpointJwk, CheckpointSigner } from './checkpoints.ts';
import { Occurrence, systemContext, UnitOfWork } from '#events';
import type { Transaction } from '#events';
import { checkpointKeySchema } from './checkpoint.schema.ts';
import type { CheckpointKeyDocument } from './checkpoint.schema.ts';

/** The sources of the signing key. */
@Injectable()
export class CheckpointKeySources {
  constructor(
    @Inject(CONFIG) readonly config: Config,
    readonly settings: Settings,
  ) {}
}

/**
 * The signing key (LATCHKEY_SIGNING_KEY_FILE, or one that is generated in the store) and all public keys ever used. A
 * start with another key is a rotation: it retires the previous key, which can then never sign again.
 */
@Injectable()
export class CheckpointKeys {
  private readonly model: Model<CheckpointKeyDocument>;
  private own: CheckpointSigner | undefined;

  constructor(
    store: MongoStore,
    private readonly sources: CheckpointKeySources,
    private readonly unitOfWork: UnitOfWork,
  ) {
    this.model = store.model('checkpoint_keys', checkpointKeySchema);
  }

  /**
   * Returns the signing key after registering it in the store.
   *
   * @throws DomainError `signing-unavailable` when it was retired, `store-unavailable`
   */
  async signer(): Promise<CheckpointSigner> {
    if (this.own !== undefined) return this.own;
    const signer = checkpointSigner(await this.pem());
    await this.unitOfWork.run(systemContext('checkpoint-keys'), { chains: [null] }, (transaction) =>
      this.activate(signer, transaction),
    );
    this.own = signer;
    return signer;
  }

  /** All public keys, the current one first. */
  async published(): Promise<CheckpointJwk[]> {
    const found = await bounded(this.model.find().sort({ activatedAt: -1, _id: 1 }).lean().exec());
    return found.map(({ _id, x, retiredAt }) => ({
      kty: 'OKP',
      crv: 'Ed25519',
      x,
      kid: _id,
      use: 'sig',
      ...(retiredAt === null ? {} : { latchkey_retired_at: retiredAt.toISOString() }),
    }));
  }

  /** Whether the key is one that the service made itself and keeps in the store, beside what it signs. */
  get isMadeHere(): boolean {
    return this.sources.config.signingKey === undefined;
  }

  /** When the key in use began to sign; undefined before the first one. @throws DomainError `store-unavailable` */
  async activeSince(): Promise<Date | undefined> {
    return (await bounded(this.model.findOne({ retiredAt: null }).lean().exec()))?.activatedAt;
  }

  /**
   * Notes the use of the key in the signing transaction, so that it conflicts with a concurrent rotation.
   *
   * @throws DomainError `signing-unavailable` when it is retired
   */
  async use({ keyId }: CheckpointSigner, at: Date, session: ClientSession): Promise<void> {
    const { matchedCount } = await this.model.collection.updateOne(
      { _id: keyId as never, retiredAt: null },
      { $max: { lastSignedAt: at } },
      { session },
    );
    if (matchedCount !== 1) throw retired();
  }

  private async pem(): Promise<string> {
    const { config, settings } = this.sources;
    const configured = config.signingKey?.export({ type: 'pkcs8', format: 'pem' });
    if (configured !== undefined) return configured.toString();
    return settings.getOrCreate('checkpoint-signing-key', () =>
      generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    );
  }

  private async activate({ keyId, jwk }: CheckpointSigner, transaction: Transaction): Promise<void> {
    const { session, at } = transaction;
    const known = await this.model.find({}, null, { session }).lean();
    const own = known.find((key) => key._id === keyId);
    if (own?.retiredAt === null) return;
    if (own !== undefined) throw retired();
    const before = known.filter((key) => key.retiredAt === null);
    for (const { _id, lastSignedAt } of before) {
      const retiredAt = lastSignedAt > at ? lastSignedAt : at;
      await this.model.updateOne({ _id, retiredAt: null }, { $set: { retiredAt } }, { session });
    }
    // the raw driver, because mongoose's create() expects another form for sessions
    const key = { _id: keyId as never, x: jwk.x, activatedAt: at, lastSignedAt: at, retiredAt: null };
    await this.model.collection.insertOne(key, { session });
    // because of the event, two concurrent rotations conflict at the chain head, and one retries
    transaction.publish(new Occurrence(rotated(keyId, before)));
  }
}

function rotated(keyId: string, before: readonly CheckpointKeyDocument[]): CheckpointKeyRotated {
  const data = { retiredKeyId: before[0]?._id ?? null };
  return new CheckpointKeyRotated({ id: keyId }, data);
}

function retired(): DomainError {
  return new DomainError(
    'signing-unavailable',
    'The signing key was retired by a rotation and cannot be used again. ' +
      'Set LATCHKEY_SIGNING_KEY_FILE to the current key or a new one.',
  );
}
