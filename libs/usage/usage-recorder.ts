import { Inject, Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { RefusalReason } from '#event-types';
import { Clock } from '#kernel';
import { LOGGER, Metrics } from '#observability';
import type { Logger } from '#observability';
import { UNKNOWN_ADDRESS, UsageBook } from './domain/usage-book.ts';
import { UsageRepository } from './persistence/usage.repository.ts';

const FLUSH_INTERVAL_MS = 5_000;

/**
 * Counts the use of credentials in memory and writes it every five seconds (docs/adr/0050-usage.md). Counting is
 * synchronous, never throws and never waits for the store. Call it for existing credentials only.
 */
@Injectable()
export class UsageRecorder implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly book = new UsageBook();
  private timer: NodeJS.Timeout | undefined;
  private flushed = Promise.resolve();
  private latestMs = 0;

  constructor(
    private readonly repository: UsageRepository,
    private readonly clock: Clock,
    private readonly metrics: Metrics,
    @Inject(LOGGER) private readonly logger: Pick<Logger, 'warn'>,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.flush(), FLUSH_INTERVAL_MS);
    this.timer.unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
  }

  /** A token was issued. @param address the client's; undefined if unknown */
  issued(credentialId: string, secretId: string, address: string | undefined): void {
    if (!this.book.issued(credentialId, secretId, address ?? UNKNOWN_ADDRESS, this.nowMs())) this.noteUncounted();
  }

  /**
   * A token was found good.
   * @param apis what it was found good for @param address its user's; undefined if the resource server did not send it
   */
  used(credentialId: string, apis: readonly string[], address: string | undefined): void {
    if (!this.book.used(credentialId, apis, address ?? UNKNOWN_ADDRESS, this.nowMs())) this.noteUncounted();
  }

  /** A sign-in, a token request or a token of the credential was refused. */
  refused(credentialId: string, reason: RefusalReason): void {
    if (!this.book.refused(credentialId, reason, this.nowMs())) this.noteUncounted();
  }

  /** Writes what is new. If that fails, the counters stay and are written with the next flush. */
  flush(): Promise<void> {
    // one after the other, so that this one has everything that was counted until now
    this.flushed = this.flushed.then(() => this.write());
    return this.flushed;
  }

  private async write(): Promise<void> {
    const hours = this.book.unwritten();
    if (this.repository.isReady) {
      try {
        await this.repository.recordedSince();
        await this.repository.write(hours);
        this.book.forgetWritten(this.nowMs());
        if (hours.length > 0) this.metrics.usageFlushes.inc({ outcome: 'written' });
      } catch (error) {
        this.metrics.usageFlushes.inc({ outcome: 'failed' });
        this.logger.warn({ err: error, hours: hours.length }, 'cannot write usage counts yet');
      }
    }
    this.metrics.usageCounters.set(this.book.size);
  }

  /** The clock throws while the store's time is unknown; then the last known time is exact enough. */
  private nowMs(): number {
    try {
      this.latestMs = this.clock.nowMs();
    } catch {
      // keeps the last known time
    }
    return this.latestMs;
  }

  private noteUncounted(): void {
    this.metrics.usageUncounted.inc();
  }
}
