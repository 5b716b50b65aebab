import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { isStoreUnavailable, storeUnavailable } from '#mongo';
import { LOGGER } from '#observability';
import type { Logger } from '#observability';
import { FenceSource } from './fence-source.ts';
import { ageMs, latest } from './fenced-state.ts';
import type { ClusterTime, FencedState } from './fenced-state.ts';
import { isSameVersion } from './rights.ts';
import type { RightsVersion } from './rights.ts';
import { WatchedScopes } from './watched-scopes.ts';
import { FencePeriod } from './fence-period.ts';

/** Without a question for this long the fence pauses, in milliseconds: each one costs the store an entry in its log. */
const IDLE_AFTER_MS = 1_000;
/** The pause after a fence that failed, in milliseconds. */
const RETRY_MS = 50;
/** How long a caller waits for a state, in milliseconds. */
const WAIT_LIMIT_MS = 1_200;

/** What a fence brought home. */
interface Proof {
  readonly provenAt: ClusterTime;
  readonly readAt: ClusterTime;
  readonly rights: ReadonlyMap<string, RightsVersion>;
}

const NO_RIGHTS: ReadonlyMap<string, RightsVersion> = new Map();

interface Waiting {
  /** How many fences had been sent by then: a later one was certainly sent after it, whatever the clocks resolve. */
  readonly afterSent: number;
  /** Whether a fence that was sent before it will not do, however short a time ago. */
  readonly isForNext: boolean;
  readonly sinceMs: number;
  readonly sinceWallMs: number;
  readonly resolve: (state: FencedState) => void;
}

/**
 * Proves, about ten times a second while somebody asks, up to which point this instance knows the store's history.
 * Every decision goes by a state that was proven less than a lease before it began; where there is none, it waits, and
 * then is `store-unavailable`. The protocol and its proof: docs/adr/0003-the-lease.md.
 */
@Injectable()
export class Fence implements OnApplicationShutdown {
  /** How long a state may be used, in milliseconds. */
  readonly leaseMs: number;
  private readonly period: FencePeriod;
  private readonly watched = new WatchedScopes();
  private hasRights: boolean;
  private readonly waiting = new Set<Waiting>();
  private state: FencedState | undefined;
  /** The time of the last fence: the next one must be later. */
  private provenAt: ClusterTime | undefined;
  /** Below this no read may go: the latest time that was seen. */
  private floor: ClusterTime | undefined;
  private generation = 0;
  private order = 0;
  private sent = 0;
  private askedAtMs = -Infinity;
  private isRunning = false;
  private isStopped = false;
  private hurry: (() => void) | undefined;

  constructor(
    private readonly source: FenceSource,
    @Inject(CONFIG) config: Pick<Config, 'leaseMs' | 'rightsVersion'>,
    @Inject(LOGGER) private readonly logger: Pick<Logger, 'debug' | 'error'>,
  ) {
    this.leaseMs = config.leaseMs;
    this.period = new FencePeriod(config.leaseMs);
    this.hasRights = config.rightsVersion && config.leaseMs > 0;
  }

  /** The state that a verification that begins now may go by. Costs two looks at a clock. */
  current(): FencedState | undefined {
    const nowMs = performance.now();
    this.askedAtMs = nowMs;
    if (!this.isRunning && this.period.isRegular) this.run();
    const { state } = this;
    return state !== undefined && ageMs(state, nowMs) < this.leaseMs ? state : undefined;
  }

  /**
   * The same, and where there is none, the next one.
   *
   * @param limitMs how long to wait at most
   * @throws DomainError `store-unavailable`
   */
  async ready(limitMs = WAIT_LIMIT_MS): Promise<FencedState> {
    return this.current() ?? this.wait(limitMs, false);
  }

  /** The state of a fence that is sent after this call. @throws DomainError `store-unavailable` */
  async next(): Promise<FencedState> {
    return this.wait(WAIT_LIMIT_MS, true);
  }

  private async wait(limitMs: number, isForNext: boolean): Promise<FencedState> {
    if (this.isStopped) throw storeUnavailable();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(waiting);
        reject(storeUnavailable(new Error('no fence in time')));
      }, limitMs);
      const waiting: Waiting = {
        afterSent: this.sent,
        isForNext,
        sinceMs: performance.now(),
        sinceWallMs: Date.now(),
        resolve: (next) => {
          clearTimeout(timer);
          resolve(next);
        },
      };
      this.waiting.add(waiting);
      this.hurry?.();
      if (!this.isRunning) this.run();
    });
  }

  /**
   * Has every later read see what this instance committed, from whichever member it is served.
   *
   * @param committedAt the `operationTime` of the commit
   */
  advance(committedAt: ClusterTime | undefined): void {
    if (committedAt === undefined) return;
    this.floor = latest(this.floor, committedAt);
    if (this.state !== undefined) this.state = { ...this.state, floor: this.floor, order: (this.order += 1) };
  }

  /** Has the rights version of the scope be part of the next states, as long as this is called every few seconds. */
  watch(scope: string): void {
    this.watched.use(scope);
  }

  /** Whether nobody has asked for a while. */
  get isIdle(): boolean {
    return performance.now() - this.askedAtMs >= IDLE_AFTER_MS;
  }

  /** Whether documents may be used for as long as their rights version stays the same. */
  get usesRights(): boolean {
    return this.hasRights;
  }

  /** Forgets everything, and goes by rights versions no more until the next start. */
  distrustRights(): void {
    this.hasRights = false;
    this.forget();
  }

  /** Whether the state is of the store's present history. */
  isPresent(state: FencedState): boolean {
    return state.generation === this.generation;
  }

  onApplicationShutdown(): void {
    this.isStopped = true;
    this.hurry?.();
  }

  private run(): void {
    this.isRunning = true;
    void this.pass();
  }

  /** Sends fences, one after the other, as long as they are wanted. */
  private async pass(): Promise<void> {
    while (this.isWanted()) {
      const sentAtMs = performance.now();
      const sentAtWallMs = Date.now();
      this.sent += 1;
      try {
        this.publish(await this.prove(), sentAtMs, sentAtWallMs);
        this.period.took(performance.now() - sentAtMs);
        await this.pause(sentAtMs + this.period.currentMs - performance.now());
      } catch (error) {
        const log = isStoreUnavailable(error) ? 'debug' : 'error';
        this.logger[log]({ err: error }, 'the fence failed; trying again');
        await this.pause(RETRY_MS, false);
      }
    }
    this.isRunning = false;
  }

  private isWanted(): boolean {
    if (this.isStopped) return false;
    return this.waiting.size > 0 || (this.period.isRegular && !this.isIdle);
  }

  /** One fence, and after its answer the rights versions: never both at a time, or they might be from before it. */
  private async prove(): Promise<Proof> {
    const provenAt = await this.source.prove();
    const scopes = this.hasRights ? this.watched.current() : [];
    if (scopes.length === 0) return { provenAt, readAt: provenAt, rights: NO_RIGHTS };
    const { versions, readAt } = await this.source.versions(provenAt, scopes);
    return { provenAt, readAt, rights: this.unchangedKept(versions) };
  }

  /** A version that did not change stays the same object, so that comparing it costs nothing. */
  private unchangedKept(versions: ReadonlyMap<string, RightsVersion>): ReadonlyMap<string, RightsVersion> {
    const before = this.state?.rights ?? NO_RIGHTS;
    const kept = new Map<string, RightsVersion>();
    for (const [scope, version] of versions) {
      const last = before.get(scope);
      kept.set(scope, last !== undefined && isSameVersion(last, version, 'rights and ended') ? last : version);
    }
    return kept;
  }

  private publish({ provenAt, readAt, rights }: Proof, sentAtMs: number, sentAtWallMs: number): void {
    // each fence appends an entry, so a time that does not grow comes from another history: a restore, a forced
    // reconfiguration
    if (this.provenAt !== undefined && !provenAt.greaterThan(this.provenAt)) {
      this.forget();
      throw new Error('the history of the store was set back; everything remembered was forgotten');
    }
    this.provenAt = provenAt;
    this.floor = latest(this.floor, latest(readAt, provenAt));
    const { floor, generation } = this;
    const state: FencedState = { sentAtMs, sentAtWallMs, floor, rights, generation, order: (this.order += 1) };
    this.state = state;
    for (const waiting of this.waiting) {
      const isInTime = !waiting.isForNext && ageMs(state, waiting.sinceMs, waiting.sinceWallMs) < this.leaseMs;
      if (!isInTime && waiting.afterSent === this.sent) continue;
      this.waiting.delete(waiting);
      waiting.resolve(state);
    }
  }

  private forget(): void {
    this.state = undefined;
    this.provenAt = undefined;
    this.floor = undefined;
    this.generation += 1;
  }

  /**
   * A pause after a success ends when a caller has to wait; one after a failure does not, or callers would hammer the
   * store.
   */
  private async pause(ms: number, mayHurry = true): Promise<void> {
    if ((mayHurry && this.waiting.size > 0) || this.isStopped) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(1, ms));
      timer.unref();
      if (mayHurry)
        this.hurry = () => {
          clearTimeout(timer);
          resolve();
        };
    });
    this.hurry = undefined;
  }
}
