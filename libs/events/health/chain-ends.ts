import { Injectable } from '@nestjs/common';
import type { ClientSession } from 'mongoose';
import type { ChainFault, ChainName } from '#chain';
import { Transactions, bounded } from '#mongo';
import { EventLog } from '../log/event-log.ts';

const MAX_CHAINS_PER_QUERY = 100;
/** A chain whose events do not fit is checked by its own query. */
const MAX_EVENTS_PER_QUERY = 2_000;

/** A mismatch between a chain's head and its events. */
export interface EndFault extends ChainFault {
  readonly chain: ChainName;
}

interface Head {
  readonly _id: ChainName;
  readonly seq: number;
  readonly hash: string;
}

type PlacedEvent = Pick<Head, 'seq' | 'hash'> & { readonly chain: ChainName };

const PLACE = { _id: 0, chain: 1, seq: 1, hash: 1 };

/**
 * Compares heads with the last events of their chains. One transaction writes both, so they differ only after a restore
 * of collections from different moments, or after manual changes in the store.
 */
@Injectable()
export class ChainEnds {
  constructor(
    private readonly log: EventLog,
    private readonly transactions: Transactions,
  ) {}

  /** Checks all chains that have a head. Reads only the last event of each chain. */
  async findFaults(): Promise<EndFault[]> {
    const faults: EndFault[] = [];
    for (let after = ''; ;) {
      const heads = await this.heads(after);
      const last = heads.at(-1);
      if (last === undefined) return faults;
      for (const chain of await this.suspects(heads)) {
        const fault = await this.findFault(chain);
        if (fault !== null) faults.push(fault);
      }
      after = last._id;
    }
  }

  /** Checks the end of one chain in one snapshot, so that a concurrent writer cannot cause a false alarm. */
  async findFault(chain: ChainName): Promise<EndFault | null> {
    const found = await this.transactions.run((session) => this.compare(chain, session));
    return found === null ? null : { chain, ...found };
  }

  private async compare(chain: ChainName, session: ClientSession): Promise<ChainFault | null> {
    const found = await this.log.heads.collection.findOne({ _id: chain }, { session });
    const head = found as unknown as Head | null;
    const seq = head?.seq ?? 0;
    const cursor = this.log.events.collection.find(
      { chain, seq: { $gte: Math.max(seq, 1) } },
      { session, projection: PLACE, sort: { seq: 1 }, limit: 2 },
    );
    const events = (await cursor.toArray()) as unknown as PlacedEvent[];
    const [first] = events;
    const beyond = events.find((event) => event.seq > seq);
    if (head !== null && seq > 0 && first?.seq !== seq) return { seq, reason: 'tail' };
    if (head !== null && first !== undefined && first.seq === seq && first.hash !== head.hash) {
      return { seq, reason: 'head' };
    }
    return beyond === undefined ? null : { seq: beyond.seq, reason: 'beyond' };
  }

  private async heads(after: string): Promise<Head[]> {
    const found = this.log.heads.collection.find(
      { _id: { $gt: after as never } },
      { projection: { seq: 1, hash: 1 }, sort: { _id: 1 }, limit: MAX_CHAINS_PER_QUERY },
    );
    return (await bounded(found.toArray())) as unknown as Head[];
  }

  /** Includes chains that are being written to, because the events are read after the heads. */
  private async suspects(heads: readonly Head[]): Promise<ChainName[]> {
    const places = heads.map(({ _id, seq }) => ({ chain: _id, seq: { $gte: seq } }));
    const found = this.log.events.collection.find({ $or: places }, { projection: PLACE, limit: MAX_EVENTS_PER_QUERY });
    const events = (await bounded(found.toArray())) as unknown as PlacedEvent[];
    const byChain = Map.groupBy(events, ({ chain }) => chain);
    return heads
      .filter(({ _id, seq, hash }) => {
        const [only, ...others] = byChain.get(_id) ?? [];
        return others.length > 0 || only?.seq !== seq || only.hash !== hash;
      })
      .map(({ _id }) => _id);
  }
}
