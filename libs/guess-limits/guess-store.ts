import { setImmediate as nextTurn } from 'node:timers/promises';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { RedisConfig } from '#config';
import { connectRedis } from '#redis';
import { GUESS_WINDOW_SECONDS } from './guess-memory.ts';

/** One guess, counted across all instances. */
export interface SharedGuess {
  /** Its number within the window, from 1. */
  readonly ordinal: number;
  readonly windowLeftMs: number;
}

/**
 * How long Redis may be silent before a request continues without it, in milliseconds. A request has three seconds.
 */
const SILENT_MS = 250;
/**
 * How long Redis may take for one answer while it answers others, in milliseconds. A shorter limit would let a burst of
 * guesses switch off its own counting.
 */
const ANSWER_MS = 1_000;
const DISCONNECT_MS = 150;

/** Guesses of one turn of the event loop that are counted in one command. */
interface Batch {
  guesses: number;
  readonly counted: Promise<{ readonly guesses: number; readonly windowLeftMs: number }>;
}

/** Counts of guesses in Redis, which all instances share. */
export class GuessStore {
  private readonly redis: ReturnType<typeof connectRedis>;
  private readonly firstConnection: Promise<void>;
  private readonly limiter: Promise<RateLimiterRedis>;
  private readonly batches = new Map<string, Batch>();
  private answeredAtMs = -Infinity;

  /**
   * @param prefix of all keys; known when MongoDB was reached, before which nobody can sign in
   * @param onError gets connection errors, of which there may be many
   */
  constructor(redis: RedisConfig, prefix: Promise<string>, onError: (error: Error) => void) {
    this.redis = connectRedis(redis, {
      enableOfflineQueue: false,
      disconnectTimeout: DISCONNECT_MS,
      enableAutoPipelining: true,
    });
    this.redis.on('error', onError);
    this.firstConnection = new Promise((resolve) => {
      const timer = setTimeout(resolve, SILENT_MS);
      timer.unref();
      this.redis.once('ready', resolve);
    });
    // this class only counts; the caller applies the limits
    const limits = { storeClient: this.redis, points: 1, duration: GUESS_WINDOW_SECONDS };
    this.limiter = prefix.then((found) => new RateLimiterRedis({ ...limits, keyPrefix: `${found}:guess` }));
  }

  /**
   * Counts one guess at each key.
   *
   * @param keys digests, so that Redis gets no secret and no text of a caller
   * @throws Error when Redis is unavailable
   */
  add(keys: readonly string[]): Promise<SharedGuess[]> {
    return this.inTime(Promise.all(keys.map((key) => this.addOne(key))));
  }

  /** The result of a guess at each key, without counting it. @throws Error when Redis is unavailable */
  async peek(keys: readonly string[]): Promise<SharedGuess[]> {
    const counts = await this.inTime(this.limiter.then((limiter) => Promise.all(keys.map((key) => limiter.get(key)))));
    return counts.map((count) => ({
      ordinal: (count?.consumedPoints ?? 0) + 1,
      windowLeftMs: count?.msBeforeNext ?? 0,
    }));
  }

  /** Uncounts one guess at each key. @throws Error when Redis is unavailable */
  async giveBack(keys: readonly string[]): Promise<void> {
    await this.inTime(this.limiter.then((limiter) => Promise.all(keys.map((key) => limiter.reward(key, 1)))));
  }

  /** Closes the connection, also if Redis is unavailable. */
  close(): void {
    this.redis.disconnect();
  }

  private async addOne(key: string): Promise<SharedGuess> {
    let batch = this.batches.get(key);
    if (batch === undefined) this.batches.set(key, (batch = { guesses: 0, counted: this.count(key) }));
    batch.guesses += 1;
    const position = batch.guesses;
    const { guesses, windowLeftMs } = await batch.counted;
    return { ordinal: guesses - batch.guesses + position, windowLeftMs };
  }

  private async count(key: string): Promise<{ guesses: number; windowLeftMs: number }> {
    await nextTurn();
    const size = this.batches.get(key)?.guesses ?? 0;
    this.batches.delete(key);
    if (this.redis.status !== 'ready') await this.firstConnection;
    const { consumedPoints, msBeforeNext } = await (await this.limiter).penalty(key, size);
    return { guesses: consumedPoints, windowLeftMs: msBeforeNext };
  }

  /**
   * @throws Error when Redis is silent or the answer is late. A busy event loop reads pending answers before it
   * decides.
   */
  private async inTime<T>(answer: Promise<T>): Promise<T> {
    const askedAtMs = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const judge = (): void => {
        const waitedMs = performance.now() - askedAtMs;
        const heardMs = performance.now() - Math.max(askedAtMs, this.answeredAtMs);
        if (waitedMs >= ANSWER_MS || heardMs >= SILENT_MS) reject(new Error('Redis did not answer in time'));
        else look(Math.min(ANSWER_MS - waitedMs, SILENT_MS - heardMs));
      };
      // timers run before sockets are read; one more turn reads them
      const look = (inMs: number): void => {
        timer = setTimeout(() => setImmediate(() => setImmediate(judge)), Math.ceil(inMs));
      };
      look(SILENT_MS);
    });
    try {
      const answered = await Promise.race([answer, late]);
      this.answeredAtMs = performance.now();
      return answered;
    } finally {
      clearTimeout(timer);
    }
  }
}
