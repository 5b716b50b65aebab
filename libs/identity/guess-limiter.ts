import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { Clock, DomainError, digest } from '#kernel';
import { LOGGER, Metrics } from '#observability';
import type { Logger } from '#observability';
import { GuessStore } from './guess-store.ts';
import type { GuessKind } from './guess-store.ts';

/** How old what this process knows of the limited may be before it asks Redis in the background, in milliseconds. */
const REFRESH_AFTER_MS = 250;
/** … and before a request waits for the answer: it is so old only where nobody asked for a while. */
const STALE_AFTER_MS = 1_000;
/** How long Redis is left alone after it failed. */
const LEFT_ALONE_MS = 2_000;
const WARN_EVERY_MS = 10_000;

/**
 * Slows guessing: after so many failed sign-ins of one id from one address, or from one address, within five minutes, both get a
 * 429 until the window ends. The id alone is never limited, so a guesser elsewhere locks no one out.
 *
 * It fails open, and loudly: without Redis each instance counts for itself, and every sign-in still needs its secret.
 */
@Injectable()
export class GuessLimiter implements OnApplicationShutdown {
  private readonly store: GuessStore;
  /** The limited by their entry, and when that ends by this process's monotonic clock. */
  private readonly limited = new Map<string, number>();
  private refreshing: Promise<void> | undefined;
  private refreshedAtMs = -Infinity;
  private leftAloneUntilMs = -Infinity;
  private warnedAtMs = -Infinity;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly metrics: Metrics,
    private readonly clock: Clock,
  ) {
    this.store = new GuessStore(config.redisUrl, config.mongodbUri, config.guessLimits, (error) =>
      this.logger.debug({ err: error }, 'guess limiter connection error'),
    );
  }

  onApplicationShutdown(): void {
    this.store.close();
  }

  /**
   * Call it before a sign-in is looked at. It mostly returns at once; where it returns a promise, wait for that.
   *
   * @param id the client id, user name or the like that was sent; it may be anything
   * @param address the caller's canonical address
   * @throws DomainError `too-many-attempts`, directly or by the promise, with the seconds until the limit ends
   */
  check(id: string, address: string): Promise<void> | undefined {
    const nowMs = performance.now();
    const ageMs = nowMs - this.refreshedAtMs;
    if (ageMs > REFRESH_AFTER_MS) {
      if (nowMs < this.leftAloneUntilMs) this.metrics.guessLimiterDown.inc();
      else {
        const refreshed = this.refresh();
        if (ageMs > STALE_AFTER_MS) return refreshed.then(() => this.judge(id, address));
      }
    }
    this.judge(id, address);
    return undefined;
  }

  /** Counts a failed sign-in. Never throws, and waits for Redis no longer than a moment. */
  async failed(id: string, address: string): Promise<void> {
    await Promise.all([this.count('pair', pairKey(id, address)), this.count('address', digest(address))]);
  }

  private judge(id: string, address: string): void {
    if (this.limited.size === 0) return;
    const untilMs = Math.max(
      this.limited.get(entryOf('pair', pairKey(id, address))) ?? 0,
      this.limited.get(entryOf('address', digest(address))) ?? 0,
    );
    const leftMs = untilMs - performance.now();
    if (leftMs <= 0) return;
    throw new DomainError('too-many-attempts', 'There were too many failed sign-ins. Wait before you try again.', {
      retryAfterSeconds: Math.ceil(leftMs / 1000),
    });
  }

  private async count(kind: GuessKind, key: string): Promise<void> {
    const shared = await this.ask(() => this.store.countShared(kind, key));
    const { guesses, windowLeftMs } = shared ?? (await this.store.countOwn(kind, key));
    const { perClient, perAddress } = this.config.guessLimits;
    if (guesses < (kind === 'pair' ? perClient : perAddress)) return;
    const entry = entryOf(kind, key);
    this.limited.set(entry, performance.now() + windowLeftMs);
    const now = this.storeTime();
    if (shared === undefined || now === undefined) return;
    await this.ask(() => this.store.putOnList(entry, now + windowLeftMs, now));
  }

  /** Learns who is limited by the count of all instances. Never throws. */
  private refresh(): Promise<void> {
    this.refreshing ??= this.refreshOnce().finally(() => (this.refreshing = undefined));
    return this.refreshing;
  }

  private async refreshOnce(): Promise<void> {
    const askedAtMs = performance.now();
    const now = this.storeTime();
    if (now === undefined) return;
    const outcome = await this.ask(async () => ({ list: await this.store.changedList(now) }));
    for (const [entry, untilMs] of this.limited) if (untilMs <= askedAtMs) this.limited.delete(entry);
    if (outcome === undefined) return;
    this.refreshedAtMs = askedAtMs;
    for (const [entry, until] of outcome.list ?? []) this.limited.set(entry, askedAtMs + until - now);
  }

  /** By which instances tell each other who is limited; undefined while it is not known: each then goes by its own count. */
  private storeTime(): number | undefined {
    try {
      return this.clock.nowMs();
    } catch {
      return undefined;
    }
  }

  /** Asks Redis, unless it failed a moment ago. @returns undefined when it was not asked, or did not answer */
  private async ask<T>(question: () => Promise<T>): Promise<T | undefined> {
    if (performance.now() >= this.leftAloneUntilMs) {
      try {
        return await question();
      } catch (error) {
        this.leftAloneUntilMs = performance.now() + LEFT_ALONE_MS;
        this.warn(error);
      }
    }
    this.metrics.guessLimiterDown.inc();
    return undefined;
  }

  private warn(error: unknown): void {
    if (performance.now() - this.warnedAtMs < WARN_EVERY_MS) return;
    this.warnedAtMs = performance.now();
    this.logger.warn({ err: error }, 'Redis is away: failed sign-ins are counted by each instance for itself');
  }
}

// ids may be anything that someone typed, perhaps a secret in the wrong field: only a digest goes to Redis
function pairKey(id: string, address: string): string {
  return digest(`${address}\n${id}`);
}

function entryOf(kind: GuessKind, key: string): string {
  return `${kind}:${key}`;
}
