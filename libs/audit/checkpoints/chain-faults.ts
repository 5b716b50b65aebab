import { Injectable } from '@nestjs/common';
import { Schema } from 'mongoose';
import type { Model } from 'mongoose';
import { chainName, operationOf } from '#chain';
import type { ChainName } from '#chain';
import { Clock } from '#kernel';
import { MongoStore, bounded } from '#mongo';
import type { ProofFault } from '../reading/chain-proof.ts';

/** The fault of a chain, and since when it is known. */
export interface KnownFault extends ProofFault {
  readonly operationId: string | null;
  readonly since: Date;
}

interface ChainFaultDocument {
  _id: ChainName;
  seq: number;
  reason: ProofFault['reason'];
  since: Date;
}

const schema = new Schema<ChainFaultDocument>({ _id: String, seq: Number, reason: String, since: Date });

/** The chains that did not verify when they were last to be signed, so that every instance knows them. */
@Injectable()
export class ChainFaults {
  private readonly model: Model<ChainFaultDocument>;

  constructor(
    store: MongoStore,
    private readonly clock: Clock,
  ) {
    this.model = store.model('chain_faults', schema);
  }

  /** @param atMost how many, by name of the chain @throws DomainError `store-unavailable` */
  async list(atMost: number): Promise<KnownFault[]> {
    const found = await bounded(this.model.find().sort({ _id: 1 }).limit(atMost).lean().exec());
    return found.map(({ _id, seq, reason, since }) => ({ operationId: operationOf(_id), seq, reason, since }));
  }

  /** Replaces what is known of a chain. @throws DomainError `store-unavailable` */
  async note(operationId: string | null, { seq, reason }: ProofFault): Promise<void> {
    const filter = { _id: chainName(operationId) };
    const update = { $set: { seq, reason }, $setOnInsert: { since: this.clock.now() } };
    await bounded(this.model.updateOne(filter, update, { upsert: true }).exec());
  }

  /** For a chain that verifies. @throws DomainError `store-unavailable` */
  async clear(operationId: string | null): Promise<void> {
    await bounded(this.model.deleteOne({ _id: chainName(operationId) }).exec());
  }
}
