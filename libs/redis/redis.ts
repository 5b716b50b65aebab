import { Cluster, Redis } from 'ioredis';
import type { RedisOptions } from 'ioredis';
import type { RedisConfig } from '#config';

export type RedisClient = Redis | Cluster;

/**
 * How long a connection may be silent after a command, in milliseconds; then another is made. Longer than BullMQ's workers wait for
 * a job in one command (ten seconds). Without it, a connection that was lost without a word is noticed by TCP alone, after 15 minutes.
 */
const MAX_SILENT_MS = 12_000;
const CONNECT_MS = 2_000;

const retryDelay = (times: number): number => Math.min(times * 100, 1_000);

/**
 * Options of one connection, to a server or by Sentinels. The service starts, and goes on, while Redis is away.
 *
 * @param enableOfflineQueue whether commands wait for a connection; false where a caller waits for them
 */
export function connectionOptions(redis: RedisConfig, enableOfflineQueue: boolean): RedisOptions {
  return {
    ...sharedOptions(redis),
    ...(redis.kind === 'sentinel' ? sentinelOptions(redis) : redis.nodes[0]),
    db: redis.database,
    enableOfflineQueue,
    retryStrategy: retryDelay,
    // after a failover the name leads to another server; and a worker whose commands fail at once tries again without a pause
    reconnectOnError: ({ message }) => message.startsWith('READONLY'),
  };
}

/** A client of its own, for a server, Sentinels or a Cluster. */
export function connectRedis(redis: RedisConfig, more: RedisOptions & { enableOfflineQueue: boolean }): RedisClient {
  const { enableOfflineQueue } = more;
  if (redis.kind !== 'cluster') return new Redis({ ...connectionOptions(redis, enableOfflineQueue), ...more });
  return new Cluster([...redis.nodes], {
    redisOptions: { ...sharedOptions(redis), ...more },
    enableOfflineQueue,
    ...(more.enableAutoPipelining === undefined ? {} : { enableAutoPipelining: more.enableAutoPipelining }),
    clusterRetryStrategy: retryDelay,
    // with TLS a node is reached by the name in its certificate, as managed services announce it
    ...(redis.tls === undefined ? {} : { dnsLookup: (address, callback) => callback(null, address) }),
  });
}

function sharedOptions({ username, password, tls }: RedisConfig): RedisOptions {
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls: tls }),
    maxRetriesPerRequest: null,
    connectTimeout: CONNECT_MS,
    socketTimeout: MAX_SILENT_MS,
  };
}

function sentinelOptions({ nodes, masterName, tls, sentinel }: RedisConfig): RedisOptions {
  return {
    sentinels: nodes.map((node) => ({ ...node })),
    name: masterName ?? '',
    ...(sentinel.username === undefined ? {} : { sentinelUsername: sentinel.username }),
    ...(sentinel.password === undefined ? {} : { sentinelPassword: sentinel.password }),
    ...(tls === undefined ? {} : { enableTLSForSentinelMode: true, sentinelTLS: tls }),
    sentinelRetryStrategy: retryDelay,
  };
}
