import { Injectable } from '@nestjs/common';
import { CheckpointLog } from '#audit';
import { chainName } from '#chain';
import { eventCatalogue } from '#event-types';
import { EventLog, TombstoneLog, endsSomething, markOf, maxAgeMs, toLogEvent, tombstonesOf } from '#events';
import type { EventDocument, Tombstone } from '#events';
import { Clock } from '#kernel';
import { bounded } from '#mongo';

const BATCH = 500;

/**
 * Writes missing tombstones of logged events: an instance was killed between commit and write, or the events are older
 * than the folder. Also notes the newest checkpoint of each chain.
 */
@Injectable()
export class TombstoneCatchUp {
  constructor(
    private readonly log: EventLog,
    private readonly checkpoints: CheckpointLog,
    private readonly tombstones: TombstoneLog,
    private readonly clock: Clock,
  ) {}

  /** @param from time of the oldest event to check */
  async run(from: Date): Promise<void> {
    for (const { type } of eventCatalogue) if (endsSomething(type)) await this.events(type, from);
    await this.noteCheckpoints(from);
  }

  private async events(type: string, from: Date): Promise<void> {
    let at = new Date(Math.max(from.getTime(), this.clock.nowMs() - maxAgeMs(type)));
    for (let after = ''; ;) {
      const behind = { $or: [{ at: { $gt: at } }, { at, _id: { $gt: after } }] };
      const found = await this.find({ type, at: { $gte: at }, ...(after === '' ? {} : behind) });
      const last = found.at(-1);
      if (last === undefined) return;
      const unknown = found.filter(({ chain, seq }) => !this.tombstones.knows(chain, seq));
      await this.tombstones.write(unknown.flatMap((event) => tombstonesOf(toLogEvent(event))));
      at = last.at;
      after = last._id;
    }
  }

  private async find(filter: object): Promise<EventDocument[]> {
    const cursor = this.log.events.collection.find(filter, { sort: { at: 1, _id: 1 }, limit: BATCH });
    return (await bounded(cursor.toArray())) as unknown as EventDocument[];
  }

  private async noteCheckpoints(from: Date): Promise<void> {
    const newest = new Map<string, Tombstone>();
    const oldest = from.toISOString();
    for (let after: string | undefined; ;) {
      const page = await this.checkpoints.list(undefined, after, BATCH);
      for (const { operationId, seq, hash, at } of page) {
        const mark = markOf(chainName(operationId), seq, hash, at);
        if (at >= oldest && !newest.has(mark.chain) && !this.tombstones.knows(mark.chain, seq)) {
          newest.set(mark.chain, mark);
        }
      }
      const last = page.at(-1);
      if (last === undefined || last.at < oldest) break;
      after = last.id;
    }
    await this.tombstones.write([...newest.values()]);
  }
}
