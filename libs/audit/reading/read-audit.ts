import { Inject, Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { EVENT_LOG, EventsRead } from '#event-types';
import { Occurrence, UnitOfWork } from '#events';
import { Clock } from '#kernel';
import type { CallContext } from '#kernel';
import { MongoStore, withoutDeadline } from '#mongo';
import { LOGGER } from '#observability';
import type { Logger } from '#observability';

const MINUTE_MS = 60_000;
const FLUSH_EVERY_MS = 15_000;
const MAX_READERS = 10_000;
/** Filters that one event names. */
const MAX_FILTERS = 20;

/** What was asked for, as far as it was: names of filters and their values. */
export type ReadFilter = Readonly<Record<string, string>>;

/** Reads that one event stands for. */
interface Reads {
  readonly since: Date;
  count: number;
  /** Without duplicates. */
  readonly filters: Map<string, ReadFilter>;
}

interface Reader {
  /** The last minute in which an event was written. */
  minute: number;
  writing: Promise<void>;
  /** Reads since that event, which the next one tells of. */
  later: Reads | undefined;
  context: CallContext;
}

/**
 * Reading the log is an event itself, `events.read.v2`, at most one for each reader and minute (and instance): nobody can make the chain grow
 * faster by looking at it. The first read of a minute is written before it is answered. Those after it are counted, and told with the
 * reader's next event, or when the minute is over; a crash may lose their count, never that the reader read in that minute.
 *
 * It is in the platform's chain: who reads what concerns those who may see everything.
 */
@Injectable()
export class ReadAudit implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly readers = new LRUCache<string, Reader>({ max: MAX_READERS });
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly store: MongoStore,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.flush(false), FLUSH_EVERY_MS).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.flush(true);
  }

  /** Resolves when the minute's event is written. @throws DomainError `store-unavailable` when it cannot be: then nothing may be answered */
  async record(context: CallContext, filter: ReadFilter): Promise<void> {
    const now = this.clock.now();
    const minute = minuteOf(now);
    const reader = this.readers.get(context.actor.id);
    if (reader?.minute === minute) {
      reader.later = withRead(reader.later, filter, now);
      reader.context = context;
      await reader.writing;
      return;
    }
    await this.write(context, minute, withRead(reader?.later, filter, now), reader);
  }

  /** Writes what was read in minutes that are over. @param isLast also in this one */
  private async flush(isLast: boolean): Promise<void> {
    if (!this.store.ready) return;
    try {
      const minute = minuteOf(this.clock.now());
      for (const reader of [...this.readers.values()]) {
        const { later, context } = reader;
        if (later === undefined || (reader.minute === minute && !isLast)) continue;
        await withoutDeadline(() => this.write(context, minute, later, reader));
      }
    } catch (error) {
      this.logger.warn({ err: error }, 'reads of the event log not written yet');
    }
  }

  private async write(context: CallContext, minute: number, reads: Reads, before: Reader | undefined): Promise<void> {
    const writing = this.append(context, reads);
    const reader: Reader = { minute, writing, later: undefined, context };
    this.readers.set(context.actor.id, reader);
    try {
      await writing;
    } catch (error) {
      // what the reader read before is still to be told; this read is not answered
      if (this.readers.get(context.actor.id) === reader) {
        if (before === undefined) this.readers.delete(context.actor.id);
        else this.readers.set(context.actor.id, before);
      }
      throw error;
    }
  }

  private append(context: CallContext, { since, count, filters }: Reads): Promise<void> {
    return this.unitOfWork.run(context, { chains: [null] }, (transaction) => {
      const data = { count, since: since.toISOString(), filters: [...filters.values()] };
      transaction.publish(new Occurrence(new EventsRead(EVENT_LOG, data)));
      return Promise.resolve();
    });
  }
}

function minuteOf(at: Date): number {
  return Math.floor(at.getTime() / MINUTE_MS);
}

/** These reads and one more. The newest filters are named, the oldest ones left out. */
function withRead(reads: Reads | undefined, filter: ReadFilter, at: Date): Reads {
  const filters = new Map(reads?.filters);
  const key = JSON.stringify(Object.entries(filter).sort());
  filters.delete(key);
  filters.set(key, filter);
  for (const oldest of filters.keys()) {
    if (filters.size <= MAX_FILTERS) break;
    filters.delete(oldest);
  }
  return { since: reads?.since ?? at, count: (reads?.count ?? 0) + 1, filters };
}
