import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import mongoose from 'mongoose';
import type { Connection, Model, Schema } from 'mongoose';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { LOGGER, RepeatedNotice } from '#observability';
import type { Logger } from '#observability';
import { ConnectionWatch } from './connection-watch.ts';
import { UnfitDeployment } from './deployment.ts';
import { PrimaryWatch } from './primary-watch.ts';
import { StoreClock } from './store-clock.ts';
import { STORE_OPTIONS } from './store-options.ts';
import { verifyLayout } from './verify-layout.ts';

// An unknown key is an error and never dropped: a filter that loses its key matches everything.
mongoose.set('strict', 'throw');
mongoose.set('strictQuery', 'throw');

/** The time limit for one round trip, one wait for a connection and one wait for a primary. */
const ROUND_TRIP_MS = 2_000;
const RETRY_DELAY_MS = 500;
const MAX_CONNECTIONS = 20;
/** The time limit for closing a stuck connection. */
const CLOSE_MS = 3_000;

/**
 * The connection to MongoDB. `open` retries in the background; `ready` is true once the indexes are verified and the
 * store's clock is known. By default reads and writes use the primary with majority concern.
 */
@Injectable()
export class MongoStore implements OnApplicationShutdown {
  readonly connection: Connection = mongoose.createConnection();
  private readonly models: Model<never>[] = [];
  private readonly outage = new RepeatedNotice((reason) => this.logger.warn({ reason }, 'waiting for MongoDB'));
  private readonly unfit = new RepeatedNotice((reason) => this.logger.error({ reason }, 'MongoDB cannot be used'));
  private closing = false;
  private prepared = false;
  private opening: Promise<void> | undefined;
  private watch: ConnectionWatch | undefined;
  private readonly primary = new PrimaryWatch();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly clock: StoreClock,
  ) {
    this.connection.on('error', (error: unknown) => this.logger.warn({ err: error }, 'store connection error'));
  }

  /** Registers a collection. Call it in a constructor: the indexes are verified when the store is reached. */
  model<T>(name: string, schema: Schema<T>): Model<T> {
    schema.set('autoIndex', false);
    schema.set('autoCreate', false);
    schema.set('bufferCommands', false);
    schema.set('versionKey', false);
    const model = this.connection.model<T>(name, schema, name);
    this.models.push(model as never);
    return model;
  }

  /** Whether it was reached, and has a primary or is likely to have one in a moment. */
  get ready(): boolean {
    return this.prepared && !this.closing && this.primary.isExpected;
  }

  /** Resolves once the store is prepared. Retries until then or until shutdown. */
  open(): Promise<void> {
    this.opening ??= this.keepOpening();
    return this.opening;
  }

  /** @throws if the primary does not answer within the round-trip limit */
  async ping(): Promise<void> {
    await this.connection.db?.command({ ping: 1 });
  }

  async onApplicationShutdown(): Promise<void> {
    this.closing = true;
    this.watch?.stop();
    this.clock.stop();
    await this.connection.close(true).catch(() => undefined);
  }

  private async keepOpening(): Promise<void> {
    for (let open = false; !this.closing && !open;) {
      try {
        if (!this.prepared) await verifyLayout(this.config.mongodbUri, this.models);
        await this.connection.openUri(this.config.mongodbUri, {
          ...STORE_OPTIONS,
          appName: 'latchkey',
          maxPoolSize: MAX_CONNECTIONS,
          minPoolSize: 1,
          serverSelectionTimeoutMS: ROUND_TRIP_MS,
          connectTimeoutMS: ROUND_TRIP_MS,
          socketTimeoutMS: ROUND_TRIP_MS,
          waitQueueTimeoutMS: ROUND_TRIP_MS,
          heartbeatFrequencyMS: 1_000,
        });
        this.clock.follow(this.connection.getClient());
        this.primary.follow(this.connection.getClient());
        if (!this.prepared) await this.prepare();
        this.outage.clear();
        this.unfit.clear();
        this.watch = new ConnectionWatch(this.connection.getClient(), MAX_CONNECTIONS / 2, (what) =>
          this.reconnect(what),
        );
        open = true;
      } catch (error) {
        if (error instanceof UnfitDeployment) this.unfit.report(error.message);
        else this.outage.report(error instanceof Error ? error.message : String(error));
        // without force: a forced close makes mongoose reject every later command, even on a new connection
        await this.connection.close().catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY_MS));
      }
    }
  }

  /** Pending commands fail as `store-unavailable`; later ones use the new connection. */
  private reconnect(what: string): void {
    this.logger.error({ what }, 'the MongoDB driver is stuck; reconnecting to the store');
    const closed = this.connection.close().catch(() => undefined);
    const late = new Promise((resolve) => setTimeout(resolve, CLOSE_MS).unref());
    this.opening = Promise.race([closed, late]).then(() => this.keepOpening());
  }

  private async prepare(): Promise<void> {
    await this.clock.start(
      () => this.connection.db?.command({ hello: 1 }) ?? Promise.reject(new Error('no connection')),
    );
    this.prepared = true;
    this.logger.info('store ready');
  }
}
