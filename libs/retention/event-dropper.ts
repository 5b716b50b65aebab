import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import mongoose from 'mongoose';
import type { mongo } from 'mongoose';
import type { ChainName } from '#chain';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { EventLog, Stopping } from '#events';
import { STORE_OPTIONS, bounded } from '#mongo';

const BATCH = 1_000;
const STORE_MS = 2_000;

/**
 * The only code that deletes events. With EVENT_RETENTION_MONGODB_URI it signs in as another database user, so that the
 * service's own user needs no privilege to delete events.
 */
@Injectable()
export class EventDropper implements OnApplicationShutdown {
  private client: mongo.MongoClient | undefined;

  constructor(
    private readonly log: EventLog,
    @Inject(CONFIG) private readonly config: Config,
    private readonly stopping: Stopping,
  ) {}

  /** Checks the privilege before the deletion is recorded. @throws Error when it may not delete events */
  async check(): Promise<void> {
    const events = await this.events();
    await bounded(events.deleteMany({ chain: 'platform', seq: 0 })); // no event has this position
  }

  /** Deletes the events of a chain up to and including a position, oldest first, in batches. */
  async drop(chain: ChainName, throughSeq: number): Promise<void> {
    const events = await this.events();
    for (;;) {
      this.stopping.check();
      const options = { sort: { seq: 1 }, projection: { seq: 1 } } as const;
      const oldest = await bounded(events.findOne({ chain, seq: { $lte: throughSeq } }, options));
      if (oldest === null) return;
      const from = Number(oldest['seq']);
      const to = Math.min(from + BATCH - 1, throughSeq);
      await bounded(events.deleteMany({ chain, seq: { $gte: from, $lte: to } }));
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.client?.close().catch(() => undefined);
  }

  private async events(): Promise<mongo.Collection> {
    const uri = this.config.retention?.mongodbUri;
    const { collection } = this.log.events;
    if (uri === undefined) return collection;
    this.client ??= new mongoose.mongo.MongoClient(uri, {
      appName: 'latchkey-retention',
      maxPoolSize: 1,
      ...STORE_OPTIONS,
      serverSelectionTimeoutMS: STORE_MS,
      connectTimeoutMS: STORE_MS,
      socketTimeoutMS: STORE_MS,
    });
    await bounded(this.client.connect());
    return this.client.db(collection.dbName).collection(collection.collectionName);
  }
}
