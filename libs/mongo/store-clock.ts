import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '#kernel';
import { LOGGER } from '#observability';
import type { Logger } from '#observability';

const SAMPLE_EVERY_MS = 10_000;

/**
 * The store's clock, read off its `hello` answers: an instance whose own clock is two hours off neither revives nor kills
 * a token. Between readings it runs by this machine's monotonic clock, which no one sets. Its error is at most
 * half of the round trip of the reading it goes by.
 */
@Injectable()
export class StoreClock extends Clock {
  /** Store time minus monotonic time, in milliseconds. Before the first reading the own clock must do. */
  private offsetMs = Date.now() - performance.now();
  private timer: NodeJS.Timeout | undefined;

  constructor(@Inject(LOGGER) private readonly logger: Logger) {
    super();
  }

  override nowMs(): number {
    return Math.floor(performance.now() + this.offsetMs);
  }

  /** Takes the first reading and goes on taking one every ten seconds. @throws when the first fails */
  async start(hello: () => Promise<unknown>): Promise<void> {
    await this.read(hello, 3);
    clearInterval(this.timer);
    this.timer = setInterval(() => {
      this.read(hello, 1).catch((error: unknown) => this.logger.debug({ err: error }, 'store clock not read'));
    }, SAMPLE_EVERY_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Of several readings the one with the shortest round trip is the most exact. */
  private async read(hello: () => Promise<unknown>, times: number): Promise<void> {
    let shortestMs = Infinity;
    for (let i = 0; i < times; i += 1) {
      const sentAt = performance.now();
      const answer = (await hello()) as { localTime?: Date };
      const roundTripMs = performance.now() - sentAt;
      if (!(answer.localTime instanceof Date)) throw new Error('the store does not tell its time');
      if (roundTripMs < shortestMs) {
        shortestMs = roundTripMs;
        this.offsetMs = answer.localTime.getTime() - (sentAt + roundTripMs / 2);
      }
    }
  }
}
