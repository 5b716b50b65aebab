import { Injectable } from '@nestjs/common';
import { MongoStore, storeUnavailable } from '#mongo';
import { MAX_READ_MS, findAfter, storeCommand } from './fenced-find.ts';
import { latest } from './fenced-state.ts';
import type { ClusterTime } from './fenced-state.ts';
import type { RightsVersion } from './rights.ts';

/** The collection whose documents say where each event chain ends, and what the rights version of its operation is. */
export const CHAIN_HEADS = 'chain_heads';
/** The scope of what belongs to no operation: resource servers, the catalogue, people. */
export const PLATFORM_SCOPE = 'platform';
/** Scopes of one query. */
const MAX_SCOPES = 1_000;

/** Rights versions, and the time of the snapshot that they were read from, or later. */
export interface RightsReading {
  readonly versions: ReadonlyMap<string, RightsVersion>;
  readonly readAt: ClusterTime;
}

/** A chain's head, as far as it tells of rights. */
interface RightsHead extends RightsVersion {
  readonly _id: string;
  readonly seq: number;
  readonly rightsSeq?: number;
}

/** Where fences go. */
export abstract class FenceSource {
  /**
   * Sends one linearizable read.
   *
   * @returns its `operationTime`: every write that was acknowledged before the call is at or before it
   * @throws DomainError `store-unavailable` when no majority confirms it, or the server tells no time
   */
  abstract prove(): Promise<ClusterTime>;

  /**
   * Reads the rights versions of these scopes, as of that time or later. A scope without one is left out.
   *
   * @throws DomainError `store-unavailable`
   */
  abstract versions(after: ClusterTime, scopes: readonly string[]): Promise<RightsReading>;
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
      // whether it exists does not matter
      filter: { _id: PLATFORM_SCOPE },
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

  override async versions(after: ClusterTime, scopes: readonly string[]): Promise<RightsReading> {
    const heads = { db: this.store.connection, collection: { name: CHAIN_HEADS } };
    const projection = { seq: 1, rights: 1, ended: 1, rightsSeq: 1 };
    const parts: Promise<Awaited<ReturnType<typeof findAfter>>>[] = [];
    for (let from = 0; from < scopes.length; from += MAX_SCOPES) {
      const ids = scopes.slice(from, from + MAX_SCOPES);
      parts.push(findAfter(after, heads, { filter: { _id: { $in: ids } }, projection, atMost: ids.length }));
    }
    const versions = new Map<string, RightsVersion>();
    let readAt = after;
    for (const part of await Promise.all(parts)) {
      readAt = latest(readAt, part.readAt);
      for (const { _id, rights, ended, seq, rightsSeq } of part.documents as unknown as RightsHead[]) {
        // where an older version of the service wrote last, the values say nothing
        if (rightsSeq === seq) versions.set(_id, { rights, ended });
      }
    }
    return { versions, readAt };
  }
}
