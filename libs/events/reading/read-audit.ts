import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Clock, DomainEvent } from '#kernel';
import type { CallContext } from '#kernel';
import { Occurrence } from '../occurrence.ts';
import { UnitOfWork } from '../unit-of-work.ts';

const MINUTE_MS = 60_000;
/** Readings that are remembered: more than are made in a minute. */
const REMEMBERED = 10_000;

/** What was asked for, as far as it was: names of filters and their values. */
export type ReadFilter = Readonly<Record<string, string>>;

/**
 * Reading the log is an event itself. Whoever turns pages or looks again and again would write more than they read, so there is one
 * `events.read.v1` for each reader, filter and minute (and instance). It stands in the platform's chain: who reads what is the
 * business of those who may see everything.
 */
@Injectable()
export class ReadAudit {
  private readonly told = new LRUCache<string, Promise<void>>({ max: REMEMBERED });

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** Resolves when the event is written. @throws DomainError `store-unavailable` when it cannot be: then nothing may be answered */
  async record(context: CallContext, filter: ReadFilter): Promise<void> {
    const minute = Math.floor(this.clock.nowMs() / MINUTE_MS);
    const key = JSON.stringify([minute, context.actor.id, Object.entries(filter).sort()]);
    let telling = this.told.get(key);
    if (telling === undefined) {
      telling = this.tell(context, filter);
      this.told.set(key, telling);
    }
    try {
      await telling;
    } catch (error) {
      this.told.delete(key);
      throw error;
    }
  }

  private tell(context: CallContext, filter: ReadFilter): Promise<void> {
    return this.unitOfWork.run(context, { chains: [null] }, (transaction) => {
      const event = new DomainEvent('events.read.v1', null, { type: 'service', id: 'events' }, { filter });
      transaction.publish(new Occurrence(event));
      return Promise.resolve();
    });
  }
}
