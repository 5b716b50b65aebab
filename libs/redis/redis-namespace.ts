import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { MongoStore, Settings } from '#mongo';

const RETRY_MS = 500;

/**
 * The prefix of all keys: database name plus a random id of the deployment, so that two deployments can share a Redis.
 * The braces are a hash tag: BullMQ's scripts need all keys in one slot of a Redis Cluster.
 */
@Injectable()
export class RedisNamespace implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private stopped = false;
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
    void this.find();
  }

  beforeApplicationShutdown(): void {
    this.stopped = true;
  }

  private async find(): Promise<void> {
    await this.store.open();
    while (!this.stopped) {
      try {
        const id = await this.settings.getOrCreate('deployment-id', () => randomBytes(4).toString('hex'));
        this.found.resolve(`{latchkey-${this.store.connection.name}-${id}}`);
        return;
      } catch {
        await pause(RETRY_MS, undefined, { ref: false });
      }
    }
  }
}
