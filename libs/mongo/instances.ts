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

/** How often an instance in use says that it lives, in milliseconds. */
const BEAT_MS = 750;
/** An instance that has said nothing for this long is taken for dead, in milliseconds. */
const SILENT_MS = 2_000;
/** An instance in which nothing was written for this long is idle and says nothing, in milliseconds. */
const IDLE_MS = 5_000;
/** After this long without a beat, an instance registers again before it writes: its document may have expired. */
const REGISTERED_MS = 60_000;
/** How long documents of instances outlive them, in seconds. */
const KEPT_SECONDS = 3_600;
const LOOK_EVERY_MS = 500;
const RETRY_MS = 250;
/** The sessions of an instance that stays silent are ended again after this long, in milliseconds. */
const END_AGAIN_MS = 2_000;
const KILL_LIMIT_MS = 2_000;

interface InstanceDocument {
  _id: string;
  /** Ids of the sessions in which it runs transactions. */
  sessions: unknown[];
  seenAt: Date;
}

const schema = new mongoose.Schema<InstanceDocument>({
  _id: String,
  sessions: [mongoose.Schema.Types.Mixed],
  seenAt: { type: Date, required: true },
});
schema.index({ seenAt: 1 }, { expireAfterSeconds: KEPT_SECONDS }); // serves: forgetting instances that are gone

/**
 * The sessions of all instances. MongoDB keeps a transaction, and what it has locked, for a minute and more after its client was
 * killed or cut off. So each instance registers its sessions and says that it lives; whoever meets conflicts for long ends
 * the sessions of those that are silent (docs/adr/0011-transactions-of-dead-instances.md).
 */
@Injectable()
export class Instances implements OnApplicationShutdown {
  private readonly id: string = randomUUID();
  private readonly model: Model<InstanceDocument>;
  /** Session ids of this instance by their hex text: those in use, and those in which a transaction may have been left open. */
  private readonly own = new Map<string, mongo.UUID>();
  private readonly unclean = new Set<string>();
  /** Instances whose sessions were ended a moment ago: when they were last seen before that, and when it was. */
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

  /** Registers the sessions before a transaction runs in one of them. @throws when the store does not confirm it */
  async register(sessions: readonly mongo.UUID[]): Promise<void> {
    for (const session of sessions) this.own.set(session.toHexString(), session);
    await this.beat();
  }

  /** Says that a transaction is about to run. @throws when the store does not confirm a registration that may have expired */
  async use(): Promise<void> {
    const nowMs = performance.now();
    this.usedAtMs = nowMs;
    this.timer ??= setInterval(() => this.beatSoon(), BEAT_MS).unref();
    if (nowMs - this.beatAtMs > REGISTERED_MS) await this.beat();
  }

  /** A transaction may have been left open in the session: it is ended as soon as the store can be reached. */
  clean(session: mongo.UUID): void {
    this.unclean.add(session.toHexString());
    if (!this.cleaning) void this.cleanAll();
  }

  /** The session is not used any more, and has nothing open. */
  forget(session: mongo.UUID): void {
    const key = session.toHexString();
    if (!this.unclean.has(key)) this.own.delete(key);
  }

  /** Ends the sessions of instances that are silent; called by those that meet conflicts for long. Never fails. */
  async endSilent(): Promise<void> {
    const nowMs = performance.now();
    if (nowMs - this.lookedAtMs < LOOK_EVERY_MS) return;
    this.lookedAtMs = nowMs;
    try {
      const silentSince = new Date(this.clock.nowMs() - SILENT_MS);
      const silent = await this.model.collection.find({ seenAt: { $lt: silentSince } }, { batchSize: 1_000 }).toArray();
      const dead = silent.filter(
        ({ _id, seenAt }) => String(_id) !== this.id && !this.wasEnded(String(_id), seenAt as Date),
      );
      if (dead.length === 0) return;
      await this.kill(dead.flatMap(({ sessions }) => sessions as mongo.UUID[]));
      for (const [id, { atMs }] of this.ended) if (nowMs - atMs > END_AGAIN_MS) this.ended.delete(id);
      for (const { _id, seenAt } of dead)
        this.ended.set(String(_id), { seenAtMs: (seenAt as Date).getTime(), atMs: performance.now() });
      this.logger.warn({ instances: dead.map(({ _id }) => String(_id)) }, 'ended the sessions of silent instances');
    } catch (error) {
      this.logger.warn({ err: error }, 'the sessions of silent instances were not ended');
    }
  }

  /** One that was idle may have begun again and died before its first heartbeat: so it is not forgiven for long. */
  private wasEnded(id: string, seenAt: Date): boolean {
    const ended = this.ended.get(id);
    return ended?.seenAtMs === seenAt.getTime() && performance.now() - ended.atMs < END_AGAIN_MS;
  }

  private beatSoon(): void {
    if (this.stopped || !this.store.ready || performance.now() - this.usedAtMs > IDLE_MS) return;
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

  private async cleanAll(): Promise<void> {
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
        this.logger.debug({ err: error }, 'sessions not ended yet');
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref());
      }
    }
    this.cleaning = false;
  }

  /** By a connection of its own: `killSessions` is not in the Stable API, to which the others keep strictly. */
  private async kill(sessions: readonly mongo.UUID[]): Promise<void> {
    if (this.stopped) throw storeUnavailable();
    const client = new MongoClient(this.config.mongodbUri, {
      appName: 'latchkey',
      maxPoolSize: 1,
      serverSelectionTimeoutMS: KILL_LIMIT_MS,
      connectTimeoutMS: KILL_LIMIT_MS,
      socketTimeoutMS: KILL_LIMIT_MS,
    });
    try {
      await client.db('admin').command({ killSessions: sessions.map((id) => ({ id })) });
    } finally {
      await client.close(true).catch(() => undefined);
    }
  }
}

/** The id of a driver's session. */
export function sessionId(session: mongo.ClientSession): mongo.UUID {
  const id = session.id?.id;
  if (id === undefined) throw new Error('a session without an id');
  return new UUID(id.buffer);
}
