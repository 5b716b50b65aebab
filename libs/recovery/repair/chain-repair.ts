import { Injectable } from '@nestjs/common';
import { ChainReader, CheckpointLog } from '#audit';
import { ChainVerifier, emptyHead, operationOf } from '#chain';
import type { ChainHead, ChainName } from '#chain';
import { EVENT_LOG, LogRepaired } from '#event-types';
import { EventLog, Occurrence, UnitOfWork, systemContext } from '#events';
import type { Transaction } from '#events';
import { TransactionConflict, bounded } from '#mongo';
import { explainRefusal } from './refusal-text.ts';

const WRITE_LIMIT_MS = 30_000;

/** The diagnosis of a chain. `head` is null if the chain has events but no head. */
export type ChainDiagnosis = { readonly chain: ChainName; readonly head: ChainHead | null } & (
  | { readonly state: 'sound' }
  | {
      readonly state: 'repairable';
      /** The last event of the contiguous, hash-verified log. */
      readonly end: ChainHead;
    }
  | { readonly state: 'unrepairable'; readonly reason: string }
);

/** Repairs chains whose head and events differ, by moving the head. Never changes or removes an event. */
@Injectable()
export class ChainRepair {
  constructor(
    private readonly log: EventLog,
    private readonly reader: ChainReader,
    private readonly checkpoints: CheckpointLog,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** The names of all chains, including those without a head. */
  async chains(): Promise<ChainName[]> {
    const names = new Set((await this.reader.extents()).map(({ chain }) => chain));
    for (const name of await this.reader.namesInEvents()) names.add(name);
    return [...names].sort();
  }

  /** Reads and verifies a whole chain. */
  async diagnose(chain: ChainName): Promise<ChainDiagnosis> {
    const extent = await this.reader.extent(chain);
    const start = extent?.start ?? emptyHead(chain);
    const head = extent?.end ?? null;
    const { good } = await this.checkpoints.checked(chain, start.seq);
    const verifier = new ChainVerifier(chain, start, good);
    const last = await this.lastSeq(chain);
    for await (const events of this.reader.read({ chain, after: start.seq, through: last })) {
      for (const event of events) verifier.add(event);
      if (verifier.fault !== null) break;
    }
    const fault = verifier.end();
    if (fault !== null) return { chain, head, state: 'unrepairable', reason: explainRefusal(fault) };
    const end = verifier.head;
    if (head?.seq === end.seq && head.hash === end.hash) return { chain, head, state: 'sound' };
    return { chain, head, state: 'repairable', end };
  }

  /**
   * Moves the head to the found end and appends `log.repaired.v1`, in one transaction.
   *
   * @throws DomainError `store-unavailable` when the chain was written to since the diagnosis
   */
  async repair({ chain, head, end }: ChainDiagnosis & { readonly state: 'repairable' }): Promise<void> {
    const operationId = operationOf(chain);
    const data = { fromSeq: head?.seq ?? null, fromHash: head?.hash ?? null, toSeq: end.seq, toHash: end.hash };
    const event = new LogRepaired({ ...EVENT_LOG, operationId }, data);
    // no chains: the unit would lock and use the wrong head
    const options = { chains: [], limitMs: WRITE_LIMIT_MS };
    await this.unitOfWork.run(systemContext('repair'), options, async (transaction) => {
      await this.moveHead(chain, head, end, transaction);
      transaction.publish(new Occurrence(event));
    });
  }

  private async moveHead(
    chain: ChainName,
    head: ChainHead | null,
    end: ChainHead,
    { session }: Transaction,
  ): Promise<void> {
    const { collection } = this.log.heads;
    const later = await this.log.events.collection.findOne(
      { chain, seq: { $gt: end.seq } },
      { session, projection: { _id: 1 } },
    );
    if (later !== null) throw new TransactionConflict('the chain was written to since it was read');
    const to = { seq: end.seq, hash: end.hash };
    if (head === null) {
      await collection.insertOne({ _id: chain as never, ...to }, { session });
      return;
    }
    const from = { _id: chain as never, seq: head.seq, hash: head.hash };
    const { matchedCount } = await collection.updateOne(from, { $set: to }, { session });
    if (matchedCount !== 1) throw new TransactionConflict('the head was moved since it was read');
  }

  private async lastSeq(chain: ChainName): Promise<number> {
    const newest = { sort: { seq: -1 }, projection: { seq: 1 } } as const;
    const last = await bounded(this.log.events.collection.findOne({ chain }, newest));
    return last === null ? 0 : Number(last['seq']);
  }
}
