import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { MongoStore, Settings } from '#mongo';

const RETRY_MS = 500;

/**
 * The prefix of every key in Redis: the database's name, and a random id of the deployment that its settings keep. So two deployments
 * whose databases have the same name can share a Redis. The braces are a hash tag: in a Redis Cluster all keys are in one slot, as the
 * scripts of BullMQ need it.
 */
@Injectable()
export class RedisNamespace implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private stopped = false;
  private tell: (prefix: string) => void = () => undefined;
  private readonly found = new Promise<string>((resolve) => (this.tell = resolve));

  constructor(
    private readonly store: MongoStore,
    private readonly settings: Settings,
  ) {}

  /** Resolves when MongoDB was reached for the first time: until then there is nothing to queue and nobody to count. */
  prefix(): Promise<string> {
    return this.found;
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
        const id = await this.settings.getOrMake('deployment-id', () => randomBytes(4).toString('hex'));
        this.tell(`{latchkey-${this.store.connection.name}-${id}}`);
        return;
      } catch {
        await pause(RETRY_MS, undefined, { ref: false });
      }
    }
  }
}
