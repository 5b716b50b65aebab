import { Inject, Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { EventBus } from '@nestjs/cqrs';
import type { Subscription } from 'rxjs';
import { chainName } from '#chain';
import type { ChainName } from '#chain';
import { EventLog } from '#events';
import { EndablePause } from '#kernel';
import type { DomainEvent } from '#kernel';
import { MongoStore, bounded, withoutDeadline } from '#mongo';
import { LOGGER } from '#observability';
import type { Logger } from '#observability';
import { isFollowed } from './feed-position.ts';
import type { FeedScope } from './feed-position.ts';

/** Between two looks at the ends of the chains; longer if a look takes more than a tenth of it. */
const MIN_PAUSE_MS = 500;
const PAUSE_PER_LOOK = 10;

/** Wakes one follower when one of its chains has new events. It may wake it without reason, but misses nothing. */
export class FeedWaiter {
  private isWoken = false;
  private readonly pause = new EndablePause();

  constructor(readonly scope: FeedScope) {}

  wake(): void {
    this.isWoken = true;
    this.pause.end();
  }

  /** Resolves when it is woken, was woken since the last call, or the time is up. */
  async wait(ms: number): Promise<void> {
    if (!this.isWoken && ms > 0) await this.pause.wait(ms);
    this.isWoken = false;
  }
}

/**
 * Tells waiting followers about new events: those of this instance from the event bus, after the commit; those of other
 * instances by one query for all followers. Nothing is queried while nobody waits.
 */
@Injectable()
export class FeedSignal implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly waiters = new Set<FeedWaiter>();
  /** As seen last. Stays while nobody waits: an end that did not move since then tells that nothing is new. */
  private readonly ends = new Map<ChainName, number>();
  private subscription: Subscription | undefined;
  private looking: Promise<void> | undefined;
  private readonly nextLook = new EndablePause();
  private isStopped = false;

  constructor(
    private readonly eventBus: EventBus<DomainEvent>,
    private readonly log: EventLog,
    private readonly store: MongoStore,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.subscription = this.eventBus.subject$.subscribe(({ operationId }) => this.wake(chainName(operationId)));
  }

  /** Answers the followers that wait, so that none of them keeps the instance from stopping. */
  async beforeApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    this.subscription?.unsubscribe();
    for (const waiter of this.waiters) waiter.wake();
    this.nextLook.end();
    await this.looking;
  }

  /** Whether the service shuts down: nobody should wait any more. */
  get hasStopped(): boolean {
    return this.isStopped;
  }

  /** Join before the first read, so that an event between the read and the wait is noticed. */
  join(scope: FeedScope): FeedWaiter {
    const waiter = new FeedWaiter(scope);
    this.waiters.add(waiter);
    this.startLooking();
    return waiter;
  }

  leave(waiter: FeedWaiter): void {
    this.waiters.delete(waiter);
    if (this.waiters.size === 0) this.nextLook.end();
  }

  private wake(chain: ChainName): void {
    for (const waiter of this.waiters) {
      if (isFollowed(waiter.scope, chain)) waiter.wake();
    }
  }

  private startLooking(): void {
    if (this.looking !== undefined || this.waiters.size === 0 || this.isStopped) return;
    // the deadline of the request that begins it does not apply to it
    this.looking = withoutDeadline(() => this.look()).finally(() => {
      this.looking = undefined;
      this.startLooking(); // someone may have joined since its last turn
    });
  }

  private async look(): Promise<void> {
    while (this.waiters.size > 0 && !this.isStopped) {
      const begunAtMs = performance.now();
      if (this.store.ready) await this.compareEnds();
      const tookMs = performance.now() - begunAtMs;
      await this.nextLook.wait(Math.max(MIN_PAUSE_MS, PAUSE_PER_LOOK * tookMs));
    }
  }

  private async compareEnds(): Promise<void> {
    const filter = this.filter();
    try {
      const found = this.log.heads.collection.find(filter, { projection: { seq: 1 } }).toArray();
      for (const { _id, seq } of await bounded(found)) {
        const chain = chainName(String(_id));
        if (this.ends.get(chain) !== seq) this.wake(chain);
        this.ends.set(chain, Number(seq));
      }
    } catch (error) {
      this.logger.debug({ err: error }, 'the ends of the chains were not read');
    }
  }

  /** The chains of all followers. */
  private filter(): object {
    const chains = new Set<ChainName>();
    for (const { scope } of this.waiters) {
      if (scope.chains === undefined) return {};
      for (const chain of scope.chains) chains.add(chain);
    }
    return { _id: { $in: [...chains] } };
  }
}
