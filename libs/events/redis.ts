import type { RedisOptions } from 'ioredis';

/**
 * Connection options for ioredis from a Redis URL. The service starts, and goes on, while Redis is away.
 *
 * @param redisUrl `redis://` or `rediss://`, as validated by the configuration
 */
export function queueConnection(redisUrl: string, options: Partial<RedisOptions> = {}): RedisOptions {
  const url = new URL(redisUrl);
  return {
    host: url.hostname,
    port: url.port === '' ? 6379 : Number(url.port),
    db: Number(url.pathname.slice(1) || 0),
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
    ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
    maxRetriesPerRequest: null,
    connectTimeout: 2_000,
    retryStrategy: (times) => Math.min(times * 100, 1_000),
    ...options,
  };
}

/**
 * Prefix of every Redis key: the name of the database, so that services on different databases can share one Redis.
 *
 * @param mongodbUri the store's URI; without a database in it, the driver's default `test` is used
 */
export function queuePrefix(mongodbUri: string): string {
  const name = /^mongodb(?:\+srv)?:\/\/[^/]+\/([^?]*)/.exec(mongodbUri)?.[1];
  return `latchkey-${name === undefined || name === '' ? 'test' : decodeURIComponent(name)}`;
}
