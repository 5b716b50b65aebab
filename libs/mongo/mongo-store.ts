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

// A key that is no member of the schema is an error, never dropped: a filter that loses its key matches everything.
mongoose.set('strict', 'throw');
mongoose.set('strictQuery', 'throw');

/** How long one round trip, a wait for a connection, or for a primary may take, in milliseconds. */
const ROUND_TRIP_MS = 2_000;
const RETRY_DELAY_MS = 500;
const CONNECTIONS = 20;
/** How long a connection that is given up may take to close, in milliseconds. */
const CLOSE_MS = 3_000;

/**
 * The connection to MongoDB. The service starts without it: `open` keeps trying in the background, and `ready`
 * tells whether the indexes stand and the store's clock is known, which both must be so before anything is served.
 * Reads go to the primary with majority read concern and writes are acknowledged by a majority, unless said otherwise.
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

  /** Registers a collection. Call it while the modules are made: its indexes are verified when the store is reached. */
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

  /** Resolves when the store was reached and prepared; keeps trying until then or until shutdown. */
  open(): Promise<void> {
    this.opening ??= this.keepOpening();
    return this.opening;
  }

  /** Asks the primary for a sign of life. @throws when there is none within a round trip's time */
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
          maxPoolSize: CONNECTIONS,
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
        this.watch = new ConnectionWatch(this.connection.getClient(), CONNECTIONS / 2, (what) => this.openAnew(what));
        open = true;
      } catch (error) {
        if (error instanceof UnfitDeployment) this.unfit.give(error.message);
        else this.outage.give(error instanceof Error ? error.message : String(error));
        // not by force: mongoose would refuse every command for good, also over the next connection
        await this.connection.close().catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY_MS));
      }
    }
  }

  /** What waits for the old connection fails as `store-unavailable`; what comes next goes over the new one. */
  private openAnew(what: string): void {
    this.logger.error({ what }, 'the driver waits for what will never come; connecting to the store anew');
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
