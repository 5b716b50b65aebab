import { Injectable } from '@nestjs/common';
import type { Model } from 'mongoose';
import { chainName } from '#events';
import type { ChainHead } from '#events';
import { Clock, newId } from '#kernel';
import { MongoStore, Transactions, bounded, isDuplicateKey } from '#mongo';
import { signCheckpoint, verifyCheckpoint } from './checkpoints.ts';
import type { Checkpoint, CheckpointFault } from './checkpoints.ts';
import { CheckpointKeys } from './checkpoint-keys.ts';
import { checkpointSchema } from './checkpoint.schema.ts';
import type { CheckpointDocument } from './checkpoint.schema.ts';

/** Signatures that are checked before others get their turn: a few milliseconds. */
const CHECKED_AT_ONCE = 50;
/** Checkpoints that one query fetches. */
const BATCH = 500;
const SIGN_LIMIT_MS = 10_000;

/** Checkpoints of a chain: those that prove something, by place, and what is wrong with the others. */
export interface CheckedCheckpoints {
  readonly good: readonly Checkpoint[];
  readonly faults: readonly { readonly id: string; readonly reason: CheckpointFault }[];
}

/** The checkpoints. There is no way to change or remove one here, by intent. */
@Injectable()
export class CheckpointLog {
  private readonly model: Model<CheckpointDocument>;

  constructor(
    store: MongoStore,
    private readonly keys: CheckpointKeys,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {
    this.model = store.model('checkpoints', checkpointSchema);
  }

  /**
   * Signs where a chain stands, which the caller has verified. Of several who sign the same place one does.
   *
   * @throws DomainError `signing-unavailable` when the key was retired, `store-unavailable`
   */
  async sign(operationId: string | null, { seq, hash }: ChainHead): Promise<Checkpoint> {
    const signer = await this.keys.signer();
    const chain = chainName(operationId);
    try {
      return await this.transactions.run(async (session) => {
        const at = this.clock.now();
        await this.keys.use(signer, at, session);
        const body = { id: newId('cp'), operationId, seq, hash, at: at.toISOString() };
        const checkpoint = signCheckpoint(body, signer);
        const { id, ...rest } = checkpoint;
        await this.model.collection.insertOne({ _id: id as never, chain, ...rest, at }, { session });
        return checkpoint;
      }, SIGN_LIMIT_MS);
    } catch (error) {
      const signed = isDuplicateKey(error) ? await bounded(this.model.findOne({ chain, seq }).lean().exec()) : null;
      if (signed === null) throw error;
      return toCheckpoint(signed);
    }
  }

  /** A page of checkpoints, the newest first. @param chains those that are asked for; all when left out @param after id of the last one of the page before */
  async list(chains: readonly string[] | undefined, after: string | undefined, limit: number): Promise<Checkpoint[]> {
    const query = {
      ...(chains === undefined ? {} : { chain: { $in: [...chains] } }),
      ...(after === undefined ? {} : { _id: { $lt: after } }),
    };
    const found = await bounded(this.model.find(query).sort({ _id: -1 }).limit(limit).lean().exec());
    return found.map(toCheckpoint);
  }

  /** All checkpoints, the oldest first, batch by batch. @param chains those that are asked for; all when left out */
  async *all(chains: readonly string[] | undefined): AsyncGenerator<Checkpoint[], void, undefined> {
    const scope = chains === undefined ? {} : { chain: { $in: [...chains] } };
    for (let after = ''; ;) {
      const query = this.model.find({ ...scope, _id: { $gt: after } }).sort({ _id: 1 });
      const found = await bounded(query.limit(BATCH).lean().exec());
      const last = found.at(-1);
      if (last === undefined) return;
      yield found.map(toCheckpoint);
      after = last._id;
    }
  }

  /** The last checkpoint of a chain by place that is earlier than a time, if there is one. Nothing of it is verified. */
  async last(chain: string, before?: Date): Promise<Checkpoint | undefined> {
    const query = { chain, ...(before === undefined ? {} : { at: { $lt: before } }) };
    const found = await bounded(this.model.findOne(query).sort({ seq: -1 }).lean().exec());
    return found === null ? undefined : toCheckpoint(found);
  }

  /** Names of the chains that were ever signed. */
  async chains(): Promise<string[]> {
    // `distinct` is not in the Stable API
    const found = await bounded(this.model.aggregate<{ _id: string }>([{ $group: { _id: '$chain' } }]).exec());
    return found.map(({ _id }) => _id);
  }

  /** What is wrong with a checkpoint, or null. */
  async fault(checkpoint: Checkpoint): Promise<CheckpointFault | null> {
    return verifyCheckpoint(checkpoint, await this.keys.published());
  }

  /** The checkpoint at a place of a chain, if there is one. Nothing of it is verified. */
  async at(chain: string, seq: number): Promise<Checkpoint | undefined> {
    const found = await bounded(this.model.findOne({ chain, seq }).lean().exec());
    return found === null ? undefined : toCheckpoint(found);
  }

  /** All checkpoints of a chain from a place on, each checked against the keys. */
  async checked(chain: string, fromSeq: number): Promise<CheckedCheckpoints> {
    const keys = await this.keys.published();
    const good: Checkpoint[] = [];
    const faults: { id: string; reason: CheckpointFault }[] = [];
    for (let after = fromSeq - 1; ;) {
      const query = this.model.find({ chain, seq: { $gt: after } }).sort({ seq: 1 });
      const found = (await bounded(query.limit(CHECKED_AT_ONCE).lean().exec())).map(toCheckpoint);
      for (const checkpoint of found) {
        const reason = verifyCheckpoint(checkpoint, keys);
        if (reason === null) good.push(checkpoint);
        else faults.push({ id: checkpoint.id, reason });
      }
      const last = found.at(-1);
      if (last === undefined || found.length < CHECKED_AT_ONCE) return { good, faults };
      after = last.seq;
    }
  }
}

function toCheckpoint({ _id, operationId, seq, hash, at, keyId, signature }: CheckpointDocument): Checkpoint {
  return { id: _id, operationId, seq, hash, at: at.toISOString(), keyId, signature };
}
