import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';
import { queueConnection, queuePrefix } from '#events';

/** What is counted: guesses at one id from one address, and guesses from one address. */
export type GuessKind = 'pair' | 'address';

export interface GuessLimits {
  readonly perClient: number;
  readonly perAddress: number;
}

/** How many guesses there were within the window, and how long it lasts on. */
export interface GuessCount {
  readonly guesses: number;
  readonly windowLeftMs: number;
}

const WINDOW_SECONDS = 5 * 60;
/** How long a command may take before the request goes on without it, in milliseconds. */
const COMMAND_MS = 150;
/** How long a request that comes right after the start may wait for the first connection, in milliseconds. */
const FIRST_CONNECTION_MS = 500;
/** More limited keys than this at once are not told to other instances; each still counts for itself. */
const MAX_LIMITED = 20_000;

/** Guesses that are about to be counted. */
interface Counting {
  guesses: number;
  readonly counted: Promise<GuessCount>;
}

/**
 * Counts of guesses in Redis, shared by all instances, and in this process's memory for when Redis is away. Whoever is over
 * the limit is also put on one list, so that the many requests of everybody else need no look at their own counts.
 */
export class GuessStore {
  private readonly redis: Redis;
  private readonly firstConnection: Promise<void>;
  private readonly shared: Readonly<Record<GuessKind, RateLimiterRedis>>;
  private readonly own: Readonly<Record<GuessKind, RateLimiterMemory>>;
  /** By kind and key. */
  private readonly counting = new Map<string, Counting>();
  private listVersion: string | null = null;

  /** @param onError told of connection errors, of which there may be many */
  constructor(redisUrl: string, mongodbUri: string, limits: GuessLimits, onError: (error: Error) => void) {
    this.redis = new Redis({
      ...queueConnection(redisUrl, false),
      keyPrefix: `${queuePrefix(mongodbUri)}:guess:`,
      commandTimeout: COMMAND_MS,
      disconnectTimeout: COMMAND_MS,
      enableAutoPipelining: true,
    });
    this.redis.on('error', onError);
    this.firstConnection = new Promise((resolve) => {
      const timer = setTimeout(resolve, FIRST_CONNECTION_MS);
      timer.unref();
      this.redis.once('ready', resolve);
    });
    const points = { pair: limits.perClient, address: limits.perAddress };
    const make = <T>(limiter: (kind: GuessKind) => T): Record<GuessKind, T> => ({
      pair: limiter('pair'),
      address: limiter('address'),
    });
    const options = (kind: GuessKind) => ({ keyPrefix: kind, points: points[kind], duration: WINDOW_SECONDS });
    this.shared = make((kind) => new RateLimiterRedis({ ...options(kind), storeClient: this.redis }));
    this.own = make((kind) => new RateLimiterMemory(options(kind)));
  }

  /**
   * Counts one guess in Redis; those of one turn of the event loop go together.
   *
   * @param key no secret and nothing a caller chose: a digest
   * @throws when Redis is away
   */
  countShared(kind: GuessKind, key: string): Promise<GuessCount> {
    const name = `${kind}:${key}`;
    const underWay = this.counting.get(name);
    if (underWay !== undefined) {
      underWay.guesses += 1;
      return underWay.counted;
    }
    const begun: Counting = {
      guesses: 1,
      counted: nextTurn().then(async () => {
        this.counting.delete(name);
        await this.connected();
        const { consumedPoints, msBeforeNext } = await this.shared[kind].penalty(key, begun.guesses);
        return { guesses: consumedPoints, windowLeftMs: msBeforeNext };
      }),
    };
    this.counting.set(name, begun);
    return begun.counted;
  }

  /** Counts one guess in this process only. */
  async countOwn(kind: GuessKind, key: string): Promise<GuessCount> {
    const { consumedPoints, msBeforeNext } = await this.own[kind].penalty(key);
    return { guesses: consumedPoints, windowLeftMs: msBeforeNext };
  }

  /** Puts a key on the list of the limited. @param untilMs @param nowMs by the clock that all instances share */
  async putOnList(entry: string, untilMs: number, nowMs: number): Promise<void> {
    const results = await this.redis
      .multi()
      .zadd('limited', untilMs, entry)
      .zremrangebyscore('limited', '-inf', nowMs)
      .zremrangebyrank('limited', 0, -MAX_LIMITED - 1)
      .pexpire('limited', WINDOW_SECONDS * 1000)
      // whoever knows another version reads the list again
      .set('limited-version', randomUUID(), 'PX', WINDOW_SECONDS * 1000)
      .exec();
    const failed = results?.find(([error]) => error !== null)?.[0];
    if (failed != null) throw failed;
  }

  /**
   * The limited, each with the end of its limit in milliseconds by the shared clock; undefined when the list is as it was.
   *
   * @throws when Redis is away
   */
  async changedList(nowMs: number): Promise<Map<string, number> | undefined> {
    await this.connected();
    const version = await this.redis.get('limited-version');
    if (version === this.listVersion) return undefined;
    const flat = await this.redis.zrangebyscore('limited', nowMs, '+inf', 'WITHSCORES');
    this.listVersion = version;
    const list = new Map<string, number>();
    for (let at = 0; at + 1 < flat.length; at += 2) list.set(flat[at] ?? '', Number(flat[at + 1]));
    return list;
  }

  /** Lets go of the connection, whether Redis is there or not. */
  close(): void {
    this.redis.disconnect();
  }

  private async connected(): Promise<void> {
    if (this.redis.status === 'ready') return;
    await this.firstConnection;
  }
}
