import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '#kernel';
import { LOGGER } from '#observability';
import type { Logger } from '#observability';
import { storeUnavailable } from './store-errors.ts';

const READ_EVERY_MS = 10_000;
/** How far a reading may be outdone by a worse one for each millisecond of its age: clocks run at rates that differ by less. */
const DRIFT = 0.0005;
/** The machine's own clock and its monotonic one do not part by more unless one was set or the machine was suspended, in milliseconds. */
const PARTED_MS = 1_000;

/** What was read off the store. */
interface Reading {
  /** Store time minus monotonic time, in milliseconds. */
  readonly offsetMs: number;
  /** It is wrong by so much at most: half of the round trip. */
  readonly errorMs: number;
  readonly atMs: number;
  /** The machine's own time minus monotonic time. */
  readonly ownOffsetMs: number;
}

/**
 * The store's clock, read off its `hello` answers: an instance whose own clock is two hours off neither revives nor kills
 * a token. Between readings it runs by this machine's monotonic clock, which no one sets; but that stands still while a machine
 * is suspended, so when it parts from the machine's own clock, the store is asked before anything is decided.
 */
@Injectable()
export class StoreClock extends Clock {
  private reading: Reading | undefined;
  private hello: (() => Promise<unknown>) | undefined;
  private underWay: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(@Inject(LOGGER) private readonly logger: Logger) {
    super();
  }

  /** @throws DomainError `store-unavailable` while the store's time is not known */
  override nowMs(): number {
    const monotonicMs = performance.now();
    const { reading } = this;
    if (reading !== undefined && Math.abs(Date.now() - monotonicMs - reading.ownOffsetMs) < PARTED_MS) {
      return Math.floor(monotonicMs + reading.offsetMs);
    }
    this.reading = undefined;
    this.readSoon();
    throw storeUnavailable(new Error('the time of the store is not known'));
  }

  /** Takes the first reading and goes on taking one every ten seconds. @throws when the first fails */
  async start(hello: () => Promise<unknown>): Promise<void> {
    this.hello = hello;
    for (let times = 0; times < 3; times += 1) await this.read(hello);
    clearInterval(this.timer);
    this.timer = setInterval(() => this.readSoon(), READ_EVERY_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.hello = undefined;
  }

  private readSoon(): void {
    if (this.hello === undefined) return;
    this.underWay ??= this.read(this.hello)
      .catch((error: unknown) => this.logger.debug({ err: error }, 'store clock not read'))
      .finally(() => (this.underWay = undefined));
  }

  private async read(hello: () => Promise<unknown>): Promise<void> {
    const sentAtMs = performance.now();
    const answer = (await hello()) as { localTime?: Date };
    const atMs = performance.now();
    if (!(answer.localTime instanceof Date)) throw new Error('the store does not tell its time');
    const errorMs = (atMs - sentAtMs) / 2;
    const last = this.reading;
    // a slow answer tells less than what is known already
    if (last !== undefined && errorMs > last.errorMs + (atMs - last.atMs) * DRIFT) return;
    const offsetMs = answer.localTime.getTime() - (sentAtMs + errorMs);
    this.reading = { offsetMs, errorMs, atMs, ownOffsetMs: Date.now() - atMs };
  }
}
