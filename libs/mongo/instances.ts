import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import mongoose from 'mongoose';
import type { Model, mongo } from 'mongoose';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { Clock } from '#kernel';
import { LOGGER } from '#observability';
import type { Logger } from '#observability';
import { MongoStore } from './mongo-store.ts';
import { storeUnavailable } from './store-errors.ts';

const { MongoClient, UUID } = mongoose.mongo;

const HEARTBEAT_MS = 750;
/** An instance without a heartbeat for this long is considered dead. */
const DEAD_AFTER_MS = 2_000;
/** An instance without a write for this long is idle and sends no heartbeats. */
const IDLE_AFTER_MS = 5_000;
/** After this time without a heartbeat, an instance registers again before it writes: its document may have expired. */
const REGISTRATION_MS = 60_000;
/** How long the document of an instance is kept after its last heartbeat. */
const RETENTION_SECONDS = 3_600;
const MIN_CHECK_INTERVAL_MS = 500;
const RETRY_MS = 250;
/** The sessions of a dead instance are ended again after this time. */
const END_AGAIN_MS = 2_000;
const KILL_TIMEOUT_MS = 2_000;

interface InstanceDocument {
  _id: string;
  /** Ids of the sessions in which the instance runs transactions. */
  sessions: unknown[];
  seenAt: Date;
}

const schema = new mongoose.Schema<InstanceDocument>({
  _id: String,
  sessions: [mongoose.Schema.Types.Mixed],
  seenAt: { type: Date, required: true },
});
schema.index({ seenAt: 1 }, { expireAfterSeconds: RETENTION_SECONDS }); // serves: expiry of documents of dead instances

/**
 * Registers the sessions of this instance and ends those of dead ones: MongoDB keeps the transaction of a killed
 * client, and its locks, for over a minute (docs/adr/0011-transactions-of-dead-instances.md).
 */
@Injectable()
export class Instances implements OnApplicationShutdown {
  private readonly id: string = randomUUID();
  private readonly model: Model<InstanceDocument>;
  /** Session ids of this instance by their hex text: those in use, and those that may have an open transaction. */
  private readonly own = new Map<string, mongo.UUID>();
  private readonly unclean = new Set<string>();
  /** Instances whose sessions were ended recently, with their last heartbeat and the time of the ending. */
  private readonly ended = new Map<string, { readonly seenAtMs: number; readonly atMs: number }>();
  private beatAtMs = -Infinity;
  private usedAtMs = -Infinity;
  private lookedAtMs = -Infinity;
  private timer: NodeJS.Timeout | undefined;
  private cleaning = false;
  private stopped = false;

  constructor(
    private readonly store: MongoStore,
    @Inject(CONFIG) private readonly config: Config,
    private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.model = store.model('instances', schema);
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    if (this.store.ready && this.own.size > 0) {
      await this.model.collection.deleteOne({ _id: this.id as never }).catch(() => undefined);
    }
  }

  /** Call before a transaction runs in one of the sessions. @throws if the store does not confirm the registration */
  async register(sessions: readonly mongo.UUID[]): Promise<void> {
    for (const session of sessions) this.own.set(session.toHexString(), session);
    await this.beat();
  }

  /** Call before each transaction. @throws if the registration may have expired and the store does not confirm it */
  async keepRegistered(): Promise<void> {
    const nowMs = performance.now();
    this.usedAtMs = nowMs;
    this.timer ??= setInterval(() => this.beatSoon(), HEARTBEAT_MS).unref();
    if (nowMs - this.beatAtMs > REGISTRATION_MS) await this.beat();
  }

  /** Ends a session that may have an open transaction, as soon as the store can be reached. */
  endSession(session: mongo.UUID): void {
    this.unclean.add(session.toHexString());
    if (!this.cleaning) void this.endUnclean();
  }

  /** Call for a session that is no longer used and has no open transaction. */
  forget(session: mongo.UUID): void {
    const key = session.toHexString();
    if (!this.unclean.has(key)) this.own.delete(key);
  }

  /** Ends the sessions of dead instances. Call it when conflicts last. Never throws. */
  async endDeadInstances(): Promise<void> {
    const nowMs = performance.now();
    if (nowMs - this.lookedAtMs < MIN_CHECK_INTERVAL_MS) return;
    this.lookedAtMs = nowMs;
    try {
      const silentSince = new Date(this.clock.nowMs() - DEAD_AFTER_MS);
      const silent = await this.model.collection.find({ seenAt: { $lt: silentSince } }, { batchSize: 1_000 }).toArray();
      const dead = silent.filter(
        ({ _id, seenAt }) => String(_id) !== this.id && !this.wasEnded(String(_id), seenAt as Date),
      );
      if (dead.length === 0) return;
      await this.kill(dead.flatMap(({ sessions }) => sessions as mongo.UUID[]));
      for (const [id, { atMs }] of this.ended) if (nowMs - atMs > END_AGAIN_MS) this.ended.delete(id);
      for (const { _id, seenAt } of dead)
        this.ended.set(String(_id), { seenAtMs: (seenAt as Date).getTime(), atMs: performance.now() });
      this.logger.warn({ instances: dead.map(({ _id }) => String(_id)) }, 'ended the sessions of dead instances');
    } catch (error) {
      this.logger.warn({ err: error }, 'cannot end the sessions of dead instances');
    }
  }

  /** Expires soon: an idle instance may start a new transaction and die before its first heartbeat. */
  private wasEnded(id: string, seenAt: Date): boolean {
    const ended = this.ended.get(id);
    return ended?.seenAtMs === seenAt.getTime() && performance.now() - ended.atMs < END_AGAIN_MS;
  }

  private beatSoon(): void {
    if (this.stopped || !this.store.ready || performance.now() - this.usedAtMs > IDLE_AFTER_MS) return;
    this.beat().catch((error: unknown) => this.logger.debug({ err: error }, 'heartbeat not written'));
  }

  private async beat(): Promise<void> {
    const sentAtMs = performance.now();
    await this.model.collection.updateOne(
      { _id: this.id as never },
      { $set: { sessions: [...this.own.values()], seenAt: this.clock.now() } },
      { upsert: true },
    );
    this.beatAtMs = sentAtMs;
  }

  private async endUnclean(): Promise<void> {
    this.cleaning = true;
    while (this.unclean.size > 0 && !this.stopped) {
      const keys = [...this.unclean];
      try {
        await this.kill(keys.flatMap((key) => this.own.get(key) ?? []));
        for (const key of keys) {
          this.unclean.delete(key);
          this.own.delete(key);
        }
      } catch (error) {
        this.logger.debug({ err: error }, 'cannot end sessions yet');
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref());
      }
    }
    this.cleaning = false;
  }

  /** Uses a separate connection: `killSessions` is not in the Stable API, to which the others are restricted. */
  private async kill(sessions: readonly mongo.UUID[]): Promise<void> {
    if (this.stopped) throw storeUnavailable();
    const client = new MongoClient(this.config.mongodbUri, {
      appName: 'latchkey',
      maxPoolSize: 1,
      serverSelectionTimeoutMS: KILL_TIMEOUT_MS,
      connectTimeoutMS: KILL_TIMEOUT_MS,
      socketTimeoutMS: KILL_TIMEOUT_MS,
    });
    try {
      await client.db('admin').command({ killSessions: sessions.map((id) => ({ id })) });
    } finally {
      await client.close(true).catch(() => undefined);
    }
  }
}

export function sessionId(session: mongo.ClientSession): mongo.UUID {
  const id = session.id?.id;
  if (id === undefined) throw new Error('a session without an id');
  return new UUID(id.buffer);
}
