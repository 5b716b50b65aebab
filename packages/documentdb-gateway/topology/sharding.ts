import type { Document } from 'bson';
import { MongoError } from '../errors.ts';

/** Where a collection is, in the words of a sharded cluster. */
export interface Placement {
  /** the fields of the shard key, or null for a collection that is not sharded */
  readonly key: readonly string[] | null;
  readonly shards: readonly string[];
}

const PRIMARY_SHARD: Placement = { key: null, shards: ['shard-0'] };

/** Which collections are sharded, as far as it can be noticed: what indexes they may have, and what `explain` says. */
export class Sharding {
  readonly #placements = new Map<string, Placement>();

  /** Says where a collection is. @param namespace `database.collection` */
  place(namespace: string, placement: Placement): void {
    this.#placements.set(namespace, placement);
  }

  /** @throws MongoError CannotCreateIndex for a unique index that a shard could not enforce by itself */
  checkIndex(namespace: string, index: Document): void {
    const key = this.#placements.get(namespace)?.key;
    if (index['unique'] !== true || !key) return;
    const fields = Object.keys(index['key'] as Document);
    if (key.every((field, at) => fields[at] === field)) return;
    const message = `cannot create unique index over ${fields.join(', ')} with shard key pattern ${key.join(', ')}`;
    throw new MongoError(67, 'CannotCreateIndex', message);
  }

  /** What a router's `explain` says of a query for all documents. */
  plan(namespace: string): Document {
    const { key, shards } = this.#placements.get(namespace) ?? PRIMARY_SHARD;
    const scan = { stage: 'COLLSCAN', direction: 'forward' };
    const winningPlan = key === null ? scan : { stage: 'SHARDING_FILTER', inputStage: scan };
    return {
      stage: shards.length === 1 ? 'SINGLE_SHARD' : 'SHARD_MERGE',
      shards: shards.map((shardName) => ({ shardName, namespace, winningPlan })),
    };
  }
}
