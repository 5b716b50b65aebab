/** What ioredis and BullMQ both take as the way to Redis. */
export interface RedisConnectionOptions {
  host: string;
  port: number;
  db: number;
  username?: string;
  password?: string;
  tls?: object;
  maxRetriesPerRequest: number | null;
  connectTimeout: number;
  socketTimeout: number;
  enableOfflineQueue: boolean;
  retryStrategy: (times: number) => number;
  reconnectOnError: (error: Error) => boolean;
}

/**
 * How long a connection may be silent after a command, in milliseconds; then another is made. Longer than BullMQ's workers wait for
 * a job in one command (ten seconds); without it, a connection that was lost without a word is noticed by TCP alone, after a quarter of
 * an hour.
 */
const SILENT_AT_MOST_MS = 12_000;

/**
 * Connection options for ioredis from a Redis URL. The service starts, and goes on, while Redis is away.
 *
 * @param redisUrl `redis://` or `rediss://`, as validated by the configuration
 * @param enableOfflineQueue whether commands wait for a connection; false where a caller waits for them
 */
export function queueConnection(redisUrl: string, enableOfflineQueue: boolean): RedisConnectionOptions {
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
    socketTimeout: SILENT_AT_MOST_MS,
    enableOfflineQueue,
    retryStrategy: (times) => Math.min(times * 100, 1_000),
    // after a failover the name leads to another server; and a worker whose commands fail at once tries again without a pause
    reconnectOnError: ({ message }) => message.startsWith('READONLY'),
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
