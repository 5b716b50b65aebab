import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { FeedSignal } from '#feed';
import type { FeedScope } from '#feed';
import { DomainError } from '#kernel';
import { STORE_DEADLINE_MS, beforeDeadline } from '#mongo';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';
import { PersonSignIn } from '../http/person-sign-in.ts';

const MAX_PER_PERSON = 10;
const MAX_PER_INSTANCE = 500;
/** After the first event, so that the events of a burst come in one answer. */
const GATHER_MS = 50;
const RETRY_AFTER_SECONDS = 5;

/** How a follower looks at the log. */
export interface FeedLook<T> {
  /** The chains that the person may see now, and asked for. */
  readonly scope: () => FeedScope;
  readonly read: (scope: FeedScope) => Promise<T>;
  /** Whether there is nothing to answer yet. */
  readonly isEmpty: (page: T) => boolean;
}

/** Holds the requests that wait for events. A waiting request costs a timer, and no connection to the store. */
@Injectable()
export class FeedFollowers {
  private readonly waiting = new Map<string, number>();
  private total = 0;

  constructor(
    private readonly signal: FeedSignal,
    private readonly personSignIn: PersonSignIn,
  ) {}

  /**
   * Looks until there is something to answer, the time is up, or the service shuts down. After each wait the person
   * signs in again, so rights that were taken away in the meantime are gone.
   *
   * @throws DomainError `too-many-followers`, or an error of the sign-in or of the look
   */
  async follow<T>(
    request: LatchkeyRequest,
    { raw }: FastifyReply,
    waitMs: number,
    { scope, read, isEmpty }: FeedLook<T>,
  ): Promise<T> {
    const endsAtMs = performance.now() + waitMs;
    if (waitMs > 0) this.enter(request.principal?.userId ?? '');
    let waiter = this.signal.join(scope());
    const wake = (): void => waiter.wake();
    raw.once('close', wake);
    try {
      for (;;) {
        const page = await read(waiter.scope);
        const leftMs = endsAtMs - performance.now();
        if (!isEmpty(page) || leftMs <= 0) return page;
        await waiter.wait(leftMs);
        if (raw.destroyed || this.signal.hasStopped) return page;
        await pause(Math.min(GATHER_MS, leftMs));
        await this.signInAgain(request);
        this.signal.leave(waiter);
        waiter = this.signal.join(scope());
      }
    } finally {
      raw.off('close', wake);
      this.signal.leave(waiter);
      if (waitMs > 0) this.exit(request.principal?.userId ?? '');
    }
  }

  private async signInAgain(request: LatchkeyRequest): Promise<void> {
    request.principal = await beforeDeadline(performance.now() + STORE_DEADLINE_MS, () =>
      this.personSignIn.principalOf(request),
    );
  }

  private enter(person: string): void {
    const own = this.waiting.get(person) ?? 0;
    if (own >= MAX_PER_PERSON) {
      throw tooMany(`You already have ${own} requests waiting. Let one follower wait for each cursor.`);
    }
    if (this.total >= MAX_PER_INSTANCE) throw tooMany('This instance has as many as it can. Try again later.');
    this.total += 1;
    this.waiting.set(person, own + 1);
  }

  private exit(person: string): void {
    this.total -= 1;
    const own = (this.waiting.get(person) ?? 1) - 1;
    if (own === 0) this.waiting.delete(person);
    else this.waiting.set(person, own);
  }
}

function tooMany(why: string): DomainError {
  return new DomainError('too-many-followers', `Too many followers of the event log. ${why}`, {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
