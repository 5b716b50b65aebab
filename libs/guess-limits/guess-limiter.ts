import { createHmac, randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { DomainError } from '#kernel';
import { LOGGER, Metrics } from '#observability';
import type { Logger } from '#observability';
import { RedisNamespace } from '#redis';
import { guessCounters } from './guess-counters.ts';
import type { GuessCounter, GuessCounters } from './guess-counters.ts';
import { GUESS_WINDOW_SECONDS, GuessMemory } from './guess-memory.ts';
import { GuessStore } from './guess-store.ts';
import type { SharedGuess } from './guess-store.ts';

/** The pause after a failure of Redis, in milliseconds. Then one request tries it again. */
const PAUSE_MS = 5_000;
const WARN_EVERY_MS = 10_000;
/** How long an instance refuses after Redis reported a full counter, in milliseconds: attempts may be given back. */
const FULL_FOR_MS = 1_000;
/** Maximum number of wrong secrets remembered, each of which counts once towards the limit of its address. */
const MAX_WRONG_SECRETS = 10_000;

/** An attempt at a password, counted before the password is verified. */
export interface GuessAttempt {
  /** Guesses from its address within the window, as far as this instance knows, including this one. */
  readonly guesses: number;
  /** Uncounts the attempt: the password was right, or was not verified. */
  giveBack(): void;
  /** Keeps the count of a wrong password. @throws DomainError `too-many-attempts` if the address is over its limit */
  keep(): void;
}

/**
 * Limits guessing, by id and address, and by address. A password can be guessed, so an attempt is counted before it is
 * verified. A secret has 256 random bits: a right one is never refused, and a wrong one is counted after it was
 * verified.
 *
 * Both hold for parallel requests and across instances, which share their counts in Redis. Without Redis, each instance
 * uses its own counts and sign-ins continue (docs/adr/0020-guess-limits.md).
 */
@Injectable()
export class GuessLimiter implements OnApplicationShutdown {
  private readonly shared: GuessStore;
  private readonly own = new GuessMemory();
  private readonly wrongSecrets = new LRUCache<string, true>({
    max: MAX_WRONG_SECRETS,
    ttl: GUESS_WINDOW_SECONDS * 1000,
  });
  /** The marks of wrong secrets are useless outside this process. */
  private readonly hmacKey = randomBytes(32);
  private pausedUntilMs = 0;
  private warnedAtMs = -Infinity;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly metrics: Metrics,
    namespace: RedisNamespace,
  ) {
    this.shared = new GuessStore(config.redis, namespace.prefix(), (error) =>
      this.logger.debug({ err: error }, 'guess limiter connection error'),
    );
  }

  onApplicationShutdown(): void {
    this.shared.close();
  }

  /**
   * Refuses a password without verifying it, by what this instance knows: there were too many guesses at this person
   * from this address, or the address is over its limit and has guessed at this person.
   *
   * @param id the name as sent, any text
   * @param address the caller's canonical address
   * @throws DomainError `too-many-attempts`
   */
  checkPassword(id: string, address: string): void {
    this.refuseFullPassword(this.countersOf(id, address));
  }

  /** Counts an attempt at a password before it is verified. @throws DomainError `too-many-attempts` */
  async attemptPassword(id: string, address: string): Promise<GuessAttempt> {
    const counters = this.countersOf(id, address);
    const fullTotal = this.refuseFullPassword(counters);
    const taken = await this.take([...counters.pairs, ...counters.totals], fullTotal === undefined ? 'add' : 'peek');
    const pair = this.usedUp(counters.pairs, taken.guesses);
    const total = fullTotal ?? this.usedUp(counters.totals, taken.guesses.slice(counters.pairs.length));
    const isGuessedAt = taken.guesses.slice(0, counters.pairs.length).some(({ ordinal }) => ordinal > 1);
    const full = pair ?? (isGuessedAt ? total : undefined);
    if (full !== undefined) {
      taken.giveBack();
      throw this.refusal(full);
    }
    return {
      guesses: Math.max(...counters.totals.map((counter) => this.own.guesses(counter))),
      giveBack: taken.giveBack,
      keep: () => {
        if (total !== undefined) throw this.refusal(total);
      },
    };
  }

  /** Whether the sender of a secret is over a limit, as far as this instance knows. */
  isLimited(id: string, address: string): boolean {
    return this.fullOf(this.countersOf(id, address)) !== undefined;
  }

  /**
   * Refuses a secret that cannot be right, without a query, if its sender is over a limit.
   *
   * @throws DomainError `too-many-attempts`
   */
  checkWrongSecret(id: string, address: string): void {
    this.refuseFullSecret(this.countersOf(id, address));
  }

  /**
   * Counts a wrong secret. The same secret for the same id counts once towards the limit of its address: a service
   * whose credential was deleted repeats it, and does not guess.
   *
   * @throws DomainError `too-many-attempts` if its sender is over a limit
   */
  async countWrongSecret(id: string, address: string, secret: string): Promise<void> {
    const { pairs, totals } = this.countersOf(id, address);
    this.refuseFullSecret({ pairs, totals });
    const mark = createHmac('sha256', this.hmacKey).update(`${address}\n${id}\n${secret}`).digest('base64url');
    const counted = this.wrongSecrets.has(mark) ? pairs : [...pairs, ...totals];
    this.wrongSecrets.set(mark, true);
    const taken = await this.take(counted, 'add');
    const full = this.usedUp(counted, taken.guesses);
    if (full === undefined) return;
    taken.giveBack();
    throw this.refusal(full);
  }

  private countersOf(id: string, address: string): GuessCounters {
    return guessCounters(id, address, this.config.guessLimits);
  }

  /** @returns the full counter of the address if this person may still sign in */
  private refuseFullPassword({ pairs, totals }: GuessCounters): GuessCounter | undefined {
    const pair = pairs.find((counter) => this.own.isFull(counter));
    if (pair !== undefined) throw this.refusal(pair);
    const total = totals.find((counter) => this.own.isFull(counter));
    if (total !== undefined && pairs.some((counter) => this.own.guesses(counter) > 0)) throw this.refusal(total);
    return total;
  }

  private refuseFullSecret(counters: GuessCounters): void {
    const full = this.fullOf(counters);
    if (full !== undefined) throw this.refusal(full);
  }

  private fullOf({ pairs, totals }: GuessCounters): GuessCounter | undefined {
    return [...pairs, ...totals].find((counter) => this.own.isFull(counter));
  }

  /**
   * Counts one guess at each counter, in this process synchronously, then in Redis. Never throws.
   *
   * @param how `peek` for an address over its limit: many names must not fill Redis
   */
  private async take(
    counters: readonly GuessCounter[],
    how: 'add' | 'peek',
  ): Promise<{ guesses: readonly SharedGuess[]; giveBack: () => void }> {
    const keys = counters.map(({ key }) => key);
    const own = keys.map((key) => this.own.add(key));
    const guesses = await this.ask(() => this.shared[how](keys));
    const giveBack = (): void => {
      for (const count of own) count.guesses -= 1;
      if (guesses !== undefined && how === 'add') void this.ask(() => this.shared.giveBack(keys));
    };
    return { guesses: guesses ?? [], giveBack };
  }

  /**
   * The counter that is over its limit by the counts of all instances. This instance remembers it for a moment.
   */
  private usedUp(counters: readonly GuessCounter[], guesses: readonly SharedGuess[]): GuessCounter | undefined {
    let full: GuessCounter | undefined;
    for (const [index, counter] of counters.entries()) {
      const guess = guesses[index];
      if (guess === undefined || guess.ordinal <= counter.limit) continue;
      this.own.close(counter, FULL_FOR_MS, guess.windowLeftMs);
      full ??= counter;
    }
    return full;
  }

  private refusal(counter: GuessCounter): DomainError {
    this.metrics.refusals.inc({ reason: 'too-many-attempts' });
    return new DomainError('too-many-attempts', 'There were too many failed sign-ins. Wait before you try again.', {
      retryAfterSeconds: Math.max(1, Math.ceil(this.own.windowLeftMs(counter) / 1000)),
    });
  }

  /** Asks Redis, unless it failed a moment ago. @returns undefined if it was not asked or did not answer */
  private async ask<T>(question: () => Promise<T>): Promise<T | undefined> {
    if (performance.now() >= this.pausedUntilMs) {
      // only the first request tries again; the others do not wait for it
      if (this.pausedUntilMs > 0) this.pauseRedis();
      try {
        const answer = await question();
        this.pausedUntilMs = 0;
        return answer;
      } catch (error) {
        this.pauseRedis();
        this.warn(error);
      }
    }
    this.metrics.guessLimiterDown.inc();
    return undefined;
  }

  private pauseRedis(): void {
    this.pausedUntilMs = performance.now() + PAUSE_MS;
  }

  private warn(error: unknown): void {
    if (performance.now() - this.warnedAtMs < WARN_EVERY_MS) return;
    this.warnedAtMs = performance.now();
    this.logger.warn({ err: error }, 'Redis is unavailable: each instance counts failed sign-ins on its own');
  }
}
