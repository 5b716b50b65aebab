import { Injectable } from '@nestjs/common';
import type { Model } from 'mongoose';
import { chainName } from '#chain';
import type { ChainHead, ChainName } from '#chain';
import { Clock, newId } from '#kernel';
import { MongoStore, Transactions, bounded, isDuplicateKey } from '#mongo';
import { signCheckpoint, verifyCheckpoint } from './checkpoints.ts';
import type { Checkpoint, CheckpointFault } from './checkpoints.ts';
import { CheckpointKeys } from './checkpoint-keys.ts';
import { checkpointSchema } from './checkpoint.schema.ts';
import type { CheckpointDocument } from './checkpoint.schema.ts';

/** The number of signatures to check before yielding to other work: a few milliseconds. */
const VERIFY_BATCH_SIZE = 50;
const PAGE_SIZE = 500;
const SIGN_LIMIT_MS = 10_000;

/** The valid checkpoints of a chain, by position, and the faults of the others. */
export interface CheckedCheckpoints {
  readonly good: readonly Checkpoint[];
  readonly faults: readonly { readonly id: string; readonly reason: CheckpointFault }[];
}

/** Adds and reads checkpoints. By design, it cannot change or remove one. */
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
   * Signs a chain head that the caller has verified. If several instances sign the same position, one checkpoint
   * remains.
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

  /**
   * A page of checkpoints, the newest first.
   * @param chains undefined for all
   * @param after last id of the previous page
   */
  async list(
    chains: readonly ChainName[] | undefined,
    after: string | undefined,
    limit: number,
  ): Promise<Checkpoint[]> {
    const query = {
      ...(chains === undefined ? {} : { chain: { $in: [...chains] } }),
      ...(after === undefined ? {} : { _id: { $lt: after } }),
    };
    const found = await bounded(this.model.find(query).sort({ _id: -1 }).limit(limit).lean().exec());
    return found.map(toCheckpoint);
  }

  /** All checkpoints in batches, the oldest first. @param chains undefined for all */
  async *all(chains: readonly ChainName[] | undefined): AsyncGenerator<Checkpoint[], void, undefined> {
    const scope = chains === undefined ? {} : { chain: { $in: [...chains] } };
    for (let after = ''; ;) {
      const query = this.model.find({ ...scope, _id: { $gt: after } }).sort({ _id: 1 });
      const found = await bounded(query.limit(PAGE_SIZE).lean().exec());
      const last = found.at(-1);
      if (last === undefined) return;
      yield found.map(toCheckpoint);
      after = last._id;
    }
  }

  /** The last checkpoint of a chain by position, optionally before a time. Not verified. */
  async last(chain: ChainName, before?: Date): Promise<Checkpoint | undefined> {
    const query = { chain, ...(before === undefined ? {} : { at: { $lt: before } }) };
    const found = await bounded(this.model.findOne(query).sort({ seq: -1 }).lean().exec());
    return found === null ? undefined : toCheckpoint(found);
  }

  /** The names of all chains that have a checkpoint. */
  async chains(): Promise<ChainName[]> {
    // `distinct` is not in the Stable API
    const found = await bounded(this.model.aggregate<{ _id: ChainName }>([{ $group: { _id: '$chain' } }]).exec());
    return found.map(({ _id }) => _id);
  }

  /** The fault of a checkpoint, or null. */
  async fault(checkpoint: Checkpoint): Promise<CheckpointFault | null> {
    return verifyCheckpoint(checkpoint, await this.keys.published());
  }

  /** The checkpoint at a position of a chain, if there is one. Not verified. */
  async at(chain: ChainName, seq: number): Promise<Checkpoint | undefined> {
    const found = await bounded(this.model.findOne({ chain, seq }).lean().exec());
    return found === null ? undefined : toCheckpoint(found);
  }

  /** When the newest of these checkpoints was signed; undefined without any. */
  async latestOf(ids: readonly string[]): Promise<Date | undefined> {
    if (ids.length === 0) return undefined;
    const query = this.model.findOne({ _id: { $in: [...ids] } }, { at: 1 }).sort({ at: -1 });
    return (await bounded(query.lean().exec()))?.at;
  }

  /** All checkpoints of a chain from a position on, verified against the keys. */
  async checked(chain: ChainName, fromSeq: number): Promise<CheckedCheckpoints> {
    const keys = await this.keys.published();
    const good: Checkpoint[] = [];
    const faults: { id: string; reason: CheckpointFault }[] = [];
    for (let after = fromSeq - 1; ;) {
      const query = this.model.find({ chain, seq: { $gt: after } }).sort({ seq: 1 });
      const found = (await bounded(query.limit(VERIFY_BATCH_SIZE).lean().exec())).map(toCheckpoint);
      for (const checkpoint of found) {
        const reason = verifyCheckpoint(checkpoint, keys);
        if (reason === null) good.push(checkpoint);
        else faults.push({ id: checkpoint.id, reason });
      }
      const last = found.at(-1);
      if (last === undefined || found.length < VERIFY_BATCH_SIZE) return { good, faults };
      after = last.seq;
    }
  }
}

function toCheckpoint({ _id, operationId, seq, hash, at, keyId, signature }: CheckpointDocument): Checkpoint {
  return { id: _id, operationId, seq, hash, at: at.toISOString(), keyId, signature };
}
