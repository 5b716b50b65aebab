import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import pRetry from 'p-retry';
import { MongoStore, Settings } from '#mongo';

const RETRY_MS = 500;

/**
 * The prefix of all keys: database name plus a random id of the deployment, so that two deployments can share a Redis.
 * The braces are a hash tag: BullMQ's scripts need all keys in one slot of a Redis Cluster.
 */
@Injectable()
export class RedisNamespace implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly stopped = new AbortController();
  private readonly found = Promise.withResolvers<string>();

  constructor(
    private readonly store: MongoStore,
    private readonly settings: Settings,
  ) {}

  /** Resolves once MongoDB has been reached. Before that there is no work to queue and no sign-in to count. */
  prefix(): Promise<string> {
    return this.found.promise;
  }

  onApplicationBootstrap(): void {
    // it fails only when the instance shuts down
    this.find().catch(() => undefined);
  }

  beforeApplicationShutdown(): void {
    this.stopped.abort();
  }

  private async find(): Promise<void> {
    await this.store.open();
    const id = await pRetry(() => this.settings.getOrCreate('deployment-id', () => randomBytes(4).toString('hex')), {
      ...{ retries: Infinity, factor: 1, minTimeout: RETRY_MS, unref: true, signal: this.stopped.signal },
    });
    this.found.resolve(`{latchkey-${this.store.connection.name}-${id}}`);
  }
}
