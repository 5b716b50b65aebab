import { Cluster, Redis } from 'ioredis';
import type { RedisOptions } from 'ioredis';
import type { RedisConfig } from '#config';

export type RedisClient = Redis | Cluster;

/**
 * Reconnects if a command has no answer for this long; without it, only TCP would notice a silent loss, after 15
 * minutes. Must be longer than the ten seconds for which BullMQ's workers block on one command.
 */
const MAX_SILENT_MS = 12_000;
const CONNECT_MS = 2_000;

const retryDelay = (times: number): number => Math.min(times * 100, 1_000);

/**
 * Options of one connection, to a server or through Sentinels. The service starts and runs without Redis.
 *
 * @param enableOfflineQueue whether commands wait for a connection; false where a request waits for the answer
 */
export function connectionOptions(redis: RedisConfig, enableOfflineQueue: boolean): RedisOptions {
  return {
    ...sharedOptions(redis),
    ...(redis.kind === 'sentinel' ? sentinelOptions(redis) : redis.nodes[0]),
    db: redis.database,
    enableOfflineQueue,
    retryStrategy: retryDelay,
    // after a failover the old master is read-only, and a worker whose commands fail immediately retries without a
    // pause
    reconnectOnError: ({ message }) => message.startsWith('READONLY'),
  };
}

/** Opens a separate connection to a server, through Sentinels, or to a Cluster. */
export function connectRedis(redis: RedisConfig, more: RedisOptions & { enableOfflineQueue: boolean }): RedisClient {
  const { enableOfflineQueue } = more;
  if (redis.kind !== 'cluster') return new Redis({ ...connectionOptions(redis, enableOfflineQueue), ...more });
  return new Cluster([...redis.nodes], {
    redisOptions: { ...sharedOptions(redis), ...more },
    enableOfflineQueue,
    ...(more.enableAutoPipelining === undefined ? {} : { enableAutoPipelining: more.enableAutoPipelining }),
    clusterRetryStrategy: retryDelay,
    // with TLS, connect by the announced host name: it must match the node's certificate
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
