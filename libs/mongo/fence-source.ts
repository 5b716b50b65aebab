import { Injectable } from '@nestjs/common';
import { storeCommand } from './fenced-find.ts';
import type { ClusterTime } from './fenced-state.ts';
import { MAX_READ_MS } from './fenced-find.ts';
import { MongoStore } from './mongo-store.ts';
import { storeUnavailable } from './store-errors.ts';

/** The collection whose documents say where each event chain ends. */
export const CHAIN_HEADS = 'chain_heads';
/** The document that fences read. Whether it exists does not matter. */
const FENCE_ID = 'platform';

/** Where fences go. */
export abstract class FenceSource {
  /**
   * Sends one linearizable read.
   *
   * @returns its `operationTime`: every write that was acknowledged before the call is at or before it
   * @throws DomainError `store-unavailable` when no majority confirms it, or the server tells no time
   */
  abstract prove(): Promise<ClusterTime>;
}

/** Fences on MongoDB (docs/adr/0003-the-lease.md has the proof). */
@Injectable()
export class StoreFenceSource extends FenceSource {
  constructor(private readonly store: MongoStore) {
    super();
  }

  override async prove(): Promise<ClusterTime> {
    const { operationTime } = await storeCommand(this.store.connection, {
      find: CHAIN_HEADS,
      filter: { _id: FENCE_ID },
      projection: { _id: 1 },
      limit: 1,
      singleBatch: true,
      // the server appends a no-op entry and waits until a majority has it: a deposed primary never answers
      readConcern: { level: 'linearizable' },
      maxTimeMS: MAX_READ_MS,
    });
    if (operationTime === undefined) throw storeUnavailable(new Error('the store tells no operationTime'));
    return operationTime;
  }
}
