import type { TestDatabase } from '../support/database.ts';
import type { Random } from '../support/event-log/mutations.ts';
import { RedisServer } from '../support/redis-server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import type { Fault } from './lane.ts';

const SLOWEST_MS = 1_500;

/** The stores of a soak: each behind a proxy, and Redis a process of its own. */
export class SoakedStores {
  private constructor(
    private readonly database: TestDatabase,
    readonly redis: RedisServer,
    private readonly mongoProxy: TcpProxy,
    private readonly redisProxy: TcpProxy,
  ) {}

  static async start(database: TestDatabase): Promise<SoakedStores> {
    const redis = await RedisServer.running();
    return new SoakedStores(database, redis, await TcpProxy.before(database.uri), await TcpProxy.before(redis.url));
  }

  /** Variables by which an instance finds them. */
  get env(): Record<string, string> {
    return {
      MONGODB_URI: this.mongoProxy.storeUri(this.database.uri),
      REDIS_URL: this.redisProxy.urlFor(this.redis.url),
    };
  }

  /** What may happen to MongoDB. */
  mongoFaults(random: Random): Fault[] {
    return proxyFaults(this.mongoProxy, random);
  }

  /** What may happen to Redis. */
  redisFaults(random: Random): Fault[] {
    const { redis } = this;
    const nothing = (): void => undefined;
    return [
      ...proxyFaults(this.redisProxy, random),
      { name: 'stopped (SIGSTOP)', begin: () => redis.freeze(), end: () => redis.thaw() },
      { name: 'killed, back without data', begin: () => redis.kill(), end: () => redis.start() },
      { name: 'emptied', begin: () => redis.ask('FLUSHALL'), end: nothing },
      {
        name: 'full',
        begin: () => redis.ask('CONFIG', 'SET', 'maxmemory', 1),
        end: () => redis.ask('CONFIG', 'SET', 'maxmemory', 0),
      },
    ];
  }

  async stop(): Promise<void> {
    await Promise.all([this.mongoProxy.away(), this.redisProxy.away(), this.redis.stop()]);
  }
}

function proxyFaults(proxy: TcpProxy, random: Random): Fault[] {
  const nothing = (): void => undefined;
  return [
    { name: 'away', begin: () => proxy.away(), end: () => proxy.open() },
    { name: 'hanging', begin: () => proxy.hang(true), end: () => proxy.hang(false) },
    { name: 'slow', begin: () => proxy.slow(10 + random(SLOWEST_MS)), end: () => proxy.slow(0) },
    { name: 'connections cut', begin: () => proxy.cut(), end: nothing },
    { name: 'connections lost without a word', begin: () => proxy.strand(), end: nothing },
  ];
}
