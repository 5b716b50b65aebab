import type { TestDatabase } from '../support/database.ts';
import type { Random } from '../support/event-log/mutations.ts';
import { RedisServer } from '../support/redis-server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { connectionFaults } from './connection-faults.ts';
import type { Fault } from './lane.ts';
import { SoakedSet } from './soaked-set.ts';

/** The stores of a soak, behind proxies: a replica set of three members, and a Redis of its own. */
export class SoakedStores {
  private constructor(
    private readonly set: SoakedSet,
    readonly redis: RedisServer,
    private readonly redisProxy: TcpProxy,
  ) {}

  static async start(database: TestDatabase): Promise<SoakedStores> {
    const redis = await RedisServer.running();
    return new SoakedStores(await SoakedSet.start(database), redis, await TcpProxy.before(redis.url));
  }

  /** Variables with the stores' addresses. @param instance counted from 0 */
  env(instance: number): Record<string, string> {
    return { MONGODB_URI: this.set.uri(instance), REDIS_URL: this.redisProxy.urlFor(this.redis.url) };
  }

  /** Faults of the connections to MongoDB. */
  mongoFaults(random: Random): Fault[] {
    return this.set.connectionFaults(random);
  }

  /** Faults of MongoDB's replica set: elections, crashes, partitions. */
  memberFaults(random: Random): Fault[] {
    return this.set.memberFaults(random);
  }

  /** Faults of Redis and of the connections to it. */
  redisFaults(random: Random): Fault[] {
    const { redis } = this;
    const nothing = (): void => undefined;
    return [
      ...connectionFaults([this.redisProxy], random),
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
    await Promise.all([this.set.stop(), this.redisProxy.away(), this.redis.stop()]);
  }
}
