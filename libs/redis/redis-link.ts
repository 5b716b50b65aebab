import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { Cluster } from 'ioredis';
import type { Redis } from 'ioredis';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { Conditions, LOGGER, RepeatedNotice } from '#observability';
import type { Logger } from '#observability';
import { BoundedCalls } from './bounded-calls.ts';
import { connectRedis } from './connect-redis.ts';
import type { RedisClient } from './connect-redis.ts';

const EVICTING = 'redis-evicts';

/** The connection that the queues share. Logs when Redis is unavailable, or configured to evict jobs. */
@Injectable()
export class RedisLink implements OnApplicationShutdown {
  readonly client: RedisClient;
  private readonly calls = new BoundedCalls();
  private readonly outage: RepeatedNotice;

  constructor(
    @Inject(CONFIG) config: Config,
    private readonly conditions: Conditions,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.outage = new RepeatedNotice((reason) => logger.warn({ reason }, 'waiting for Redis'));
    // commands wait while Redis is unavailable: BullMQ would retry a command that fails immediately, without a pause
    this.client = connectRedis(config.redis, { enableOfflineQueue: true });
    this.client.on('error', (error: Error) => this.outage.report(reasonOf(error)));
    this.client.on('ready', () => {
      this.outage.clear();
      void this.checkEviction();
    });
  }

  async isReachable(limitMs: number): Promise<boolean> {
    return this.calls
      .within(() => this.client.ping(), limitMs)
      .then(
        () => true,
        () => false,
      );
  }

  onApplicationShutdown(): void {
    this.client.disconnect();
  }

  /** Managed servers often evict keys by default. A job could be lost before it is done. */
  private async checkEviction(): Promise<void> {
    const servers: readonly Redis[] = this.client instanceof Cluster ? this.client.nodes('master') : [this.client];
    try {
      const infos = await this.calls.within(() => Promise.all(servers.map((server) => server.info('memory'))));
      const policies = new Set(infos.map((info) => /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? 'noeviction'));
      policies.delete('noeviction');
      if (policies.size === 0) {
        this.conditions.clear(EVICTING);
        return;
      }
      this.logger.warn({ policies: [...policies] }, 'Redis may evict jobs: set maxmemory-policy to noeviction');
      const detail = 'Redis may evict jobs that are not done yet. Set its maxmemory-policy to noeviction.';
      this.conditions.set({ code: EVICTING, severity: 'degraded', detail });
    } catch (error) {
      this.logger.debug({ err: error }, 'cannot read the eviction policy of Redis');
    }
  }
}

/** A Cluster error only says that all nodes failed; the error of the last node has the reason. */
function reasonOf(error: Error & { lastNodeError?: Error }): string {
  return error.lastNodeError === undefined ? error.message : `${error.message} (${error.lastNodeError.message})`;
}
