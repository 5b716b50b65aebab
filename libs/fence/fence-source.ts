import { Injectable } from '@nestjs/common';
import { MongoStore, storeUnavailable } from '#mongo';
import { MAX_READ_MS, findAfter, storeCommand } from './fenced-find.ts';
import { latest } from './fenced-state.ts';
import type { ClusterTime } from './fenced-state.ts';
import type { RightsVersion } from './rights.ts';

/** The collection with the end of each event chain and the rights version of its operation. */
export const CHAIN_HEADS = 'chain_heads';
/** The scope of everything that belongs to no operation: resource servers, the catalogue, people. */
export const PLATFORM_SCOPE = 'platform';
/** Maximum number of scopes in one query. */
const MAX_SCOPES = 1_000;

/** Rights versions, and the time of the snapshot from which they were read, or a later one. */
export interface RightsReading {
  readonly versions: ReadonlyMap<string, RightsVersion>;
  readonly readAt: ClusterTime;
}

/** The fields of a chain head that concern rights. */
interface RightsHead extends RightsVersion {
  readonly _id: string;
  readonly seq: number;
  readonly rightsSeq?: number;
}

/** Sends fences to the store. */
export abstract class FenceSource {
  /**
   * Sends one linearizable read.
   *
   * @returns its `operationTime`: every write acknowledged before the call is at or before it
   * @throws DomainError `store-unavailable` when no majority confirms it, or the reply has no `operationTime`
   */
  abstract prove(): Promise<ClusterTime>;

  /**
   * Reads the rights versions of these scopes, as of that time or later. Omits scopes without a version.
   *
   * @throws DomainError `store-unavailable`
   */
  abstract versions(after: ClusterTime, scopes: readonly string[]): Promise<RightsReading>;
}

/** Fences on MongoDB. Proof: docs/adr/0003-the-lease.md. */
@Injectable()
export class StoreFenceSource extends FenceSource {
  constructor(private readonly store: MongoStore) {
    super();
  }

  override async prove(): Promise<ClusterTime> {
    const { operationTime } = await storeCommand(this.store.connection, {
      find: CHAIN_HEADS,
      // it need not exist
      filter: { _id: PLATFORM_SCOPE },
      projection: { _id: 1 },
      limit: 1,
      singleBatch: true,
      // the server appends a no-op entry and waits until a majority has it: a deposed primary never answers
      readConcern: { level: 'linearizable' },
      maxTimeMS: MAX_READ_MS,
    });
    if (operationTime === undefined) throw storeUnavailable(new Error('the reply has no operationTime'));
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
        // otherwise an older version of the service wrote last, and the values are not valid
        if (rightsSeq === seq) versions.set(_id, { rights, ended });
      }
    }
    return { versions, readAt };
  }
}
