import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { EndablePause } from '#kernel';
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

/** The fence pauses after this time without a verification, in milliseconds: each fence adds an entry to the oplog. */
const IDLE_AFTER_MS = 1_000;
/** The pause after a failed fence, in milliseconds. */
const RETRY_MS = 50;
/** How long a caller waits for a state, in milliseconds. */
const WAIT_LIMIT_MS = 1_200;

/** The result of one fence. */
interface Proof {
  readonly provenAt: ClusterTime;
  readonly readAt: ClusterTime;
  readonly rights: ReadonlyMap<string, RightsVersion>;
}

const NO_RIGHTS: ReadonlyMap<string, RightsVersion> = new Map();

interface Waiting {
  /** The number of fences sent before. A later fence was certainly sent after it, whatever the clock's resolution. */
  readonly afterSent: number;
  /** Whether it needs a fence that is sent after it. */
  readonly isForNext: boolean;
  readonly sinceMs: number;
  readonly sinceWallMs: number;
  readonly resolve: (state: FencedState) => void;
}

/**
 * Proves up to which point this instance knows the store's history, about ten times a second while the instance is in
 * use. Each decision uses a state that was proven less than a lease before the decision began. Without such a state it
 * waits, and then fails with `store-unavailable`. Protocol and proof: docs/adr/0003-the-lease.md.
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
  /** The latest cluster time seen; no read may be older. */
  private floor: ClusterTime | undefined;
  private generation = 0;
  private order = 0;
  private sent = 0;
  private askedAtMs = -Infinity;
  private isRunning = false;
  private isStopped = false;
  private readonly nextFence = new EndablePause();

  constructor(
    private readonly source: FenceSource,
    @Inject(CONFIG) config: Pick<Config, 'leaseMs' | 'rightsVersion'>,
    @Inject(LOGGER) private readonly logger: Pick<Logger, 'debug' | 'error'>,
  ) {
    this.leaseMs = config.leaseMs;
    this.period = new FencePeriod(config.leaseMs);
    this.hasRights = config.rightsVersion && config.leaseMs > 0;
  }

  /** The state that a verification beginning now may use; undefined if there is none. Reads the clocks, no I/O. */
  current(): FencedState | undefined {
    const nowMs = performance.now();
    this.askedAtMs = nowMs;
    if (!this.isRunning && this.period.isRegular) this.run();
    const { state } = this;
    return state !== undefined && ageMs(state, nowMs) < this.leaseMs ? state : undefined;
  }

  /**
   * The state that a verification beginning now may use. Waits for the next one if there is none.
   *
   * @param limitMs the maximum wait, in milliseconds
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
      this.nextFence.end();
      if (!this.isRunning) this.run();
    });
  }

  /**
   * Makes later reads see a commit of this instance, whichever member serves them.
   *
   * @param committedAt the `operationTime` of the commit
   */
  advance(committedAt: ClusterTime | undefined): void {
    if (committedAt === undefined) return;
    this.floor = latest(this.floor, committedAt);
    if (this.state !== undefined) this.state = { ...this.state, floor: this.floor, order: (this.order += 1) };
  }

  /** Includes the rights version of the scope in the next states. Call it every few seconds while it is needed. */
  watch(scope: string): void {
    this.watched.use(scope);
  }

  /** Whether there was no verification for a second. */
  get isIdle(): boolean {
    return performance.now() - this.askedAtMs >= IDLE_AFTER_MS;
  }

  /** Whether a document may be used while its rights version is unchanged. */
  get usesRights(): boolean {
    return this.hasRights;
  }

  /** Forgets everything, and stops using rights versions until the next start. */
  distrustRights(): void {
    this.hasRights = false;
    this.forget();
  }

  /** Whether the state belongs to the store's current history. */
  isPresent(state: FencedState): boolean {
    return state.generation === this.generation;
  }

  onApplicationShutdown(): void {
    this.isStopped = true;
    this.nextFence.end();
  }

  private run(): void {
    this.isRunning = true;
    void this.pass();
  }

  /** Sends fences one after another while they are needed. */
  private async pass(): Promise<void> {
    while (this.isNeeded()) {
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

  private isNeeded(): boolean {
    if (this.isStopped) return false;
    return this.waiting.size > 0 || (this.period.isRegular && !this.isIdle);
  }

  /** One fence, then the rights versions. In parallel, the versions could be older than the fence. */
  private async prove(): Promise<Proof> {
    const provenAt = await this.source.prove();
    const scopes = this.hasRights ? this.watched.current() : [];
    if (scopes.length === 0) return { provenAt, readAt: provenAt, rights: NO_RIGHTS };
    const { versions, readAt } = await this.source.versions(provenAt, scopes);
    return { provenAt, readAt, rights: this.unchangedKept(versions) };
  }

  /** Keeps the object of an unchanged version, so that comparing it costs nothing. */
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
    // each fence appends an oplog entry, so a time that does not grow means another history: a restore, a forced
    // reconfiguration
    if (this.provenAt !== undefined && !provenAt.greaterThan(this.provenAt)) {
      this.forget();
      throw new Error('the history of the store went back in time; this instance forgot everything it had cached');
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
   * Waits. After a success the pause ends when a caller has to wait; after a failure it does not, to protect the store.
   */
  private async pause(ms: number, canEndEarly = true): Promise<void> {
    if ((canEndEarly && this.waiting.size > 0) || this.isStopped) return;
    const pause = canEndEarly ? this.nextFence : new EndablePause();
    await pause.wait(Math.max(1, ms), { unref: true });
  }
}
