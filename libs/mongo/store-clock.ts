import { Inject, Injectable } from '@nestjs/common';
import type { mongo } from 'mongoose';
import { Clock } from '#kernel';
import { LOGGER, Metrics } from '#observability';
import type { Logger } from '#observability';
import { isRouter } from './deployment.ts';
import { NodeClocks } from './node-clocks.ts';
import { storeUnavailable } from './store-errors.ts';

const READ_INTERVAL_MS = 10_000;
/**
 * The maximum drift between two clocks. A reading is replaced by one that is less exact by this per millisecond of age.
 */
const MAX_DRIFT = 0.0005;
/** A larger step between wall clock and monotonic clock means that the clock was set or the machine suspended. */
const MAX_CLOCK_STEP_MS = 1_000;
/** A cluster writes at least every ten seconds, so its cluster time lags by at most this much. */
const MAX_CLUSTER_TIME_LAG_MS = 15_000;

/** The store's time according to one answer. */
interface Reading {
  /** Store time minus monotonic time, in milliseconds. */
  readonly offsetMs: number;
  /** The largest possible error: half of the round trip. */
  readonly errorMs: number;
  readonly atMs: number;
  /** The machine's wall clock minus monotonic time. */
  readonly ownOffsetMs: number;
}

interface Hello {
  readonly localTime?: unknown;
  readonly msg?: unknown;
  readonly $clusterTime?: { readonly clusterTime: mongo.Timestamp };
}

/**
 * The store's clock, from its `hello` answers; in between it follows the monotonic clock, and reads again after a
 * suspension. Never below the highest cluster time, so a new primary whose clock is behind revives no expired token.
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
    if (reading !== undefined && Math.abs(Date.now() - monotonicMs - reading.ownOffsetMs) < MAX_CLOCK_STEP_MS) {
      this.latestMs = Math.max(Math.floor(monotonicMs + reading.offsetMs), this.clusterTimeMs, this.latestMs);
      return this.latestMs;
    }
    this.reading = undefined;
    this.readSoon();
    throw storeUnavailable(new Error('the time of the store is unknown'));
  }

  /** Reads now and then every ten seconds. @throws if the first reading fails */
  async start(hello: () => Promise<unknown>): Promise<void> {
    this.hello = hello;
    for (let times = 0; times < 3; times += 1) await this.read(hello);
    clearInterval(this.timer);
    this.timer = setInterval(() => this.readSoon(), READ_INTERVAL_MS);
    this.timer.unref();
  }

  /** Reads the cluster time and the members' clocks from the driver's heartbeats, and reacts to a new primary. */
  follow(client: Pick<mongo.MongoClient, 'on'>): void {
    client.on('serverHeartbeatSucceeded', ({ connectionId, duration, reply }) => {
      const { localTime, $clusterTime } = reply as Hello;
      if ($clusterTime !== undefined) this.noteClusterTime($clusterTime.clusterTime);
      // while replies are streamed, the driver measures the round trip on another connection and reports it here
      if (localTime instanceof Date) this.nodes.hear(connectionId, localTime.getTime() - performance.now(), duration);
    });
    client.on('serverClosed', ({ address }) => this.nodes.forget(address));
    client.on('serverDescriptionChanged', ({ newDescription: { type, address } }) => {
      if (type !== 'RSPrimary' || address === this.primary) return;
      const isFailover = this.primary !== undefined;
      this.primary = address;
      if (isFailover) this.readNewPrimary();
    });
  }

  /** Raises the lower bound of the store's time to this cluster time. */
  noteClusterTime(time: mongo.Timestamp): void {
    this.clusterTimeMs = Math.max(this.clusterTimeMs, time.t * 1_000);
  }

  stop(): void {
    clearInterval(this.timer);
    this.hello = undefined;
  }

  /** Marks the reading as inexact: it comes from the clock of another member. */
  private readNewPrimary(): void {
    if (this.reading !== undefined) this.reading = { ...this.reading, errorMs: Infinity };
    this.readSoon();
  }

  private readSoon(): void {
    if (this.hello === undefined) return;
    this.underWay ??= this.read(this.hello)
      .catch((error: unknown) => this.logger.debug({ err: error }, 'cannot read the store clock'))
      .finally(() => (this.underWay = undefined));
  }

  private async read(hello: () => Promise<unknown>): Promise<void> {
    const sentAtMs = performance.now();
    const answer = (await hello()) as Hello;
    const atMs = performance.now();
    if (!(answer.localTime instanceof Date)) throw new Error('the hello answer of the store has no localTime');
    if (answer.$clusterTime !== undefined) this.noteClusterTime(answer.$clusterTime.clusterTime);
    const errorMs = (atMs - sentAtMs) / 2;
    const last = this.reading;
    // ignore a slow answer: it is less exact than the last reading
    if (last !== undefined && errorMs > last.errorMs + (atMs - last.atMs) * MAX_DRIFT) return;
    const offsetMs = this.nearClusterTime(answer, answer.localTime.getTime()) - (sentAtMs + errorMs);
    this.reading = { offsetMs, errorMs, atMs, ownOffsetMs: Date.now() - atMs };
  }

  /** A router (mongos) has its own clock, so its time is limited to the range of the cluster time. */
  private nearClusterTime(answer: Hello, localMs: number): number {
    if (!isRouter({ ...answer }) || this.clusterTimeMs === 0) return localMs;
    return Math.min(Math.max(localMs, this.clusterTimeMs), this.clusterTimeMs + MAX_CLUSTER_TIME_LAG_MS);
  }
}
