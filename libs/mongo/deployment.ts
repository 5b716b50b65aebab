import type { Document } from 'bson';

/** MongoDB 7.0. */
const MIN_WIRE_VERSION = 21;

/** The deployment in `MONGODB_URI` cannot give the guarantees that the service needs. The message says what to do. */
export class UnfitDeployment extends Error {
  override readonly name = 'UnfitDeployment';
}

/**
 * Checks the kind and version of a server.
 * @param hello its answer to `hello`
 * @throws UnfitDeployment for a standalone server and for a version that is too old
 * @throws Error for a member that is not the primary at the moment
 */
export function checkServer(hello: Document): void {
  const isReplicaSet = typeof hello['setName'] === 'string';
  if (!isReplicaSet && !isRouter(hello)) {
    throw new UnfitDeployment(
      'MONGODB_URI names a standalone mongod, which has no transactions. Start it with --replSet and run ' +
        'rs.initiate() once, or name a replica set.',
    );
  }
  if (Number(hello['maxWireVersion']) < MIN_WIRE_VERSION) {
    throw new UnfitDeployment('MONGODB_URI names a MongoDB older than 7.0. Upgrade it to 7.0 or later.');
  }
  if (hello['isWritablePrimary'] !== true) throw new Error('the member that answered is not the primary');
}

/** Whether the server is a mongos, a router of a sharded cluster. */
export function isRouter(hello: Document): boolean {
  return hello['msg'] === 'isdbgrid';
}

/** The location of a collection's documents, according to a router's `explain`. */
interface Placement {
  readonly collection: string;
  readonly explained: Document;
}

/**
 * Checks that all collections are unsharded and on one shard: cluster time orders commits of one shard only, and a
 * commit over several shards is acknowledged before all of them show it (ADR 0012).
 *
 * @throws UnfitDeployment that names the collections at fault
 */
export function checkLayout(placements: readonly Placement[]): void {
  const sharded = placements.filter(isSharded).map(({ collection }) => collection);
  if (sharded.length > 0) {
    throw new UnfitDeployment(
      `The collections ${sharded.join(', ')} are sharded. Latchkey needs all of its collections unsharded on one ` +
        'shard: run unshardCollection for each, to the same shard.',
    );
  }
  const shards = new Set(placements.flatMap(shardsOf));
  if (shards.size > 1) {
    throw new UnfitDeployment(
      `The collections are on ${shards.size} shards. Latchkey needs all of its collections on one shard: ` +
        'run moveCollection for those that are not on the database’s primary shard.',
    );
  }
}

interface ShardedPlan {
  readonly shards?: readonly { readonly shardName: string }[];
}

function planOf({ explained }: Placement): ShardedPlan {
  return (explained['queryPlanner'] as { winningPlan?: ShardedPlan } | undefined)?.winningPlan ?? {};
}

function shardsOf(placement: Placement): string[] {
  return (planOf(placement).shards ?? []).map(({ shardName }) => shardName);
}

/** A plan has a sharding filter only if the collection is sharded. */
function isSharded(placement: Placement): boolean {
  return shardsOf(placement).length > 1 || JSON.stringify(planOf(placement)).includes('"SHARDING_FILTER"');
}
