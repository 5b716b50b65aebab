import { Inject, Injectable } from '@nestjs/common';
import type { mongo } from 'mongoose';
import { Clock } from '#kernel';
import { LOGGER, Metrics } from '#observability';
import type { Logger } from '#observability';
import { isRouter } from './deployment.ts';
import { NodeClocks } from './node-clocks.ts';
import { storeUnavailable } from './store-errors.ts';

const READ_EVERY_MS = 10_000;
/** Clocks run at rates that differ by less. A reading may be replaced by one that is worse by this much per millisecond of age. */
const DRIFT = 0.0005;
/** The machine's clock and its monotonic one differ by more only if one was set or the machine was suspended, in milliseconds. */
const PARTED_MS = 1_000;
/** A cluster writes at least every ten seconds, so its time is at most this far behind the real one, in milliseconds. */
const CLUSTER_TIME_LAG_MS = 15_000;

/** The time of the store, as one answer told it. */
interface Reading {
  /** Store time minus monotonic time, in milliseconds. */
  readonly offsetMs: number;
  /** The largest possible error: half of the round trip. */
  readonly errorMs: number;
  readonly atMs: number;
  /** The machine's own time minus monotonic time. */
  readonly ownOffsetMs: number;
}

interface Hello {
  readonly localTime?: unknown;
  readonly msg?: unknown;
  readonly $clusterTime?: { readonly clusterTime: mongo.Timestamp };
}

/**
 * The store's clock, read from its `hello` answers: an instance whose own clock is two hours off neither revives nor kills
 * a token. Between readings it runs by this machine's monotonic clock, which nobody sets. That clock stands still while a
 * machine is suspended, so when it parts from the machine's own clock, the store is asked before anything is decided.
 *
 * It never goes back, and is never below the highest cluster time seen: a new primary whose clock is behind revives no
 * token that has expired. A router (mongos) has a clock of its own, so it is believed only near the cluster time.
 */
@Injectable()
export class StoreClock extends Clock {
  private reading: Reading | undefined;
  private hello: (() => Promise<unknown>) | undefined;
  private underWay: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private clusterTimeMs = 0;
  private latestMs = 0;
  private primary: string | undefined;
  private readonly nodes: NodeClocks;

  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    metrics: Metrics,
  ) {
    super();
    this.nodes = new NodeClocks(logger, metrics);
  }

  /** @throws DomainError `store-unavailable` while the store's time is not known */
  override nowMs(): number {
    const monotonicMs = performance.now();
    const { reading } = this;
    if (reading !== undefined && Math.abs(Date.now() - monotonicMs - reading.ownOffsetMs) < PARTED_MS) {
      this.latestMs = Math.max(Math.floor(monotonicMs + reading.offsetMs), this.clusterTimeMs, this.latestMs);
      return this.latestMs;
    }
    this.reading = undefined;
    this.readSoon();
    throw storeUnavailable(new Error('the time of the store is not known'));
  }

  /** Takes the first reading and goes on taking one every ten seconds. @throws when the first fails */
  async start(hello: () => Promise<unknown>): Promise<void> {
    this.hello = hello;
    for (let times = 0; times < 3; times += 1) await this.read(hello);
    clearInterval(this.timer);
    this.timer = setInterval(() => this.readSoon(), READ_EVERY_MS);
    this.timer.unref();
  }

  /** Hears the cluster time and the members' clocks in the driver's heartbeats, and notices another primary. */
  follow(client: Pick<mongo.MongoClient, 'on'>): void {
    client.on('serverHeartbeatSucceeded', ({ connectionId, duration, reply }) => {
      const { localTime, $clusterTime } = reply as Hello;
      if ($clusterTime !== undefined) this.hearClusterTime($clusterTime.clusterTime);
      // while replies are streamed, the driver measures the round trip by a connection beside it, and says it here
      if (localTime instanceof Date) this.nodes.hear(connectionId, localTime.getTime() - performance.now(), duration);
    });
    client.on('serverClosed', ({ address }) => this.nodes.forget(address));
    client.on('serverDescriptionChanged', ({ newDescription: { type, address } }) => {
      if (type !== 'RSPrimary' || address === this.primary) return;
      const isAnother = this.primary !== undefined;
      this.primary = address;
      if (isAnother) this.readAnother();
    });
  }

  /** Takes note of a cluster time: the store's time is never below it. */
  hearClusterTime(time: mongo.Timestamp): void {
    this.clusterTimeMs = Math.max(this.clusterTimeMs, time.t * 1_000);
  }

  stop(): void {
    clearInterval(this.timer);
    this.hello = undefined;
  }

  /** The clock of another member: what was read from the last one says nothing of it. */
  private readAnother(): void {
    if (this.reading !== undefined) this.reading = { ...this.reading, errorMs: Infinity };
    this.readSoon();
  }

  private readSoon(): void {
    if (this.hello === undefined) return;
    this.underWay ??= this.read(this.hello)
      .catch((error: unknown) => this.logger.debug({ err: error }, 'store clock not read'))
      .finally(() => (this.underWay = undefined));
  }

  private async read(hello: () => Promise<unknown>): Promise<void> {
    const sentAtMs = performance.now();
    const answer = (await hello()) as Hello;
    const atMs = performance.now();
    if (!(answer.localTime instanceof Date)) throw new Error('the store does not tell its time');
    if (answer.$clusterTime !== undefined) this.hearClusterTime(answer.$clusterTime.clusterTime);
    const errorMs = (atMs - sentAtMs) / 2;
    const last = this.reading;
    // a slow answer is less exact than what is known already
    if (last !== undefined && errorMs > last.errorMs + (atMs - last.atMs) * DRIFT) return;
    const offsetMs = this.believed(answer, answer.localTime.getTime()) - (sentAtMs + errorMs);
    this.reading = { offsetMs, errorMs, atMs, ownOffsetMs: Date.now() - atMs };
  }

  private believed(answer: Hello, localMs: number): number {
    if (!isRouter({ ...answer }) || this.clusterTimeMs === 0) return localMs;
    return Math.min(Math.max(localMs, this.clusterTimeMs), this.clusterTimeMs + CLUSTER_TIME_LAG_MS);
  }
}
