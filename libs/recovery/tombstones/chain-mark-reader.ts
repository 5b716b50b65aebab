import { Injectable } from '@nestjs/common';
import { ChainReader } from '#audit';
import { EventLog } from '#events';
import type { ChainMark } from '#events';
import { bounded } from '#mongo';

const MARKS_PER_QUERY = 100;

/** Checks whether chains contain the events of marks. */
@Injectable()
export class ChainMarkReader {
  constructor(
    private readonly log: EventLog,
    private readonly reader: ChainReader,
  ) {}

  /** The marks whose event is missing in its chain or has another hash there, unless a retention archived it. */
  async lost(marks: readonly ChainMark[]): Promise<ChainMark[]> {
    const lost: ChainMark[] = [];
    for (let from = 0; from < marks.length; from += MARKS_PER_QUERY) {
      const batch = marks.slice(from, from + MARKS_PER_QUERY);
      const held = await this.held(batch);
      lost.push(...batch.filter((mark) => !held.has(placeOf(mark))));
    }
    if (lost.length === 0) return [];
    const extents = await this.reader.extents(lost.map(({ chain }) => chain));
    const starts = new Map(extents.map(({ chain, start }) => [chain, start.seq]));
    return lost.filter(({ chain, seq }) => seq > (starts.get(chain) ?? 0));
  }

  private async held(marks: readonly ChainMark[]): Promise<ReadonlySet<string>> {
    const places = marks.map(({ chain, seq }) => ({ chain, seq }));
    const projection = { _id: 0, chain: 1, seq: 1, hash: 1 };
    const found = await bounded(this.log.events.collection.find({ $or: places }, { projection }).toArray());
    return new Set(found.map((event) => placeOf(event as unknown as ChainMark)));
  }
}

function placeOf({ chain, seq, hash }: Pick<ChainMark, 'chain' | 'seq' | 'hash'>): string {
  return `${chain} ${seq} ${hash}`;
}
