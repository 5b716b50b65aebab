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
const FLUSH_INTERVAL_MS = 15_000;
const MAX_READERS = 10_000;
/** The maximum number of filters in one event. */
const MAX_FILTERS = 20;

/** The filters of a read, by name. */
export type ReadFilter = Readonly<Record<string, string>>;

/** The reads that one event records. */
interface Reads {
  readonly since: Date;
  count: number;
  /** Without duplicates. */
  readonly filters: Map<string, ReadFilter>;
}

interface Reader {
  /** The minute of the last written event. */
  minute: number;
  writing: Promise<void>;
  /** The reads since that event, for the next one. */
  later: Reads | undefined;
  context: CallContext;
}

/**
 * Records reads of the log: at most one `events.read.v2` per reader, minute and instance, in the platform chain. The
 * first read of a minute is recorded before its answer. Later ones are counted for the next event.
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
    this.timer = setInterval(() => void this.flush(false), FLUSH_INTERVAL_MS).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.flush(true);
  }

  /**
   * Resolves once the event of the minute is written.
   * @throws DomainError `store-unavailable`; do not answer the read then
   */
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

  /** Records the reads of past minutes. @param isLast whether to include the current minute */
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
      this.logger.warn({ err: error }, 'cannot record reads of the event log yet');
    }
  }

  private async write(context: CallContext, minute: number, reads: Reads, before: Reader | undefined): Promise<void> {
    const writing = this.append(context, reads);
    const reader: Reader = { minute, writing, later: undefined, context };
    this.readers.set(context.actor.id, reader);
    try {
      await writing;
    } catch (error) {
      // keep the earlier reads for the next event; this read is not answered
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

/** Adds a read. Keeps only the newest filters. */
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
