import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import { ResourceServerReader } from '#catalogue';
import { CredentialReader } from '#credentials';
import { Fence } from '#fence';
import type { LeasedReader } from '#fence';
import { Clock } from '#kernel';
import { isStoreUnavailable } from '#mongo';
import { LOGGER, Metrics } from '#observability';
import type { Logger } from '#observability';
import { TokenRepository } from '#tokens';

const EVERY_MS = 1_000;
/** Documents compared per second, however many are cached: 50,000 take eight minutes. */
const COMPARED_EACH = 100;

/** All caches of documents that may outlive the lease. */
@Injectable()
export class RememberedDocuments {
  private readonly readers: readonly LeasedReader<object>[];
  private next = 0;

  constructor(tokens: TokenRepository, credentials: CredentialReader, resourceServers: ResourceServerReader) {
    this.readers = [tokens.reader, credentials, resourceServers] as unknown as LeasedReader<object>[];
  }

  /** The reader whose turn it is. */
  get current(): LeasedReader<object> | undefined {
    return this.readers[this.next];
  }

  passOn(): void {
    this.next = (this.next + 1) % this.readers.length;
  }
}

/**
 * Compares cached documents with the store, a few at a time. A difference means that something changed without a new
 * rights version. The instance could then use an old state for hours, so it stops using rights versions until its next
 * start.
 */
@Injectable()
export class RightsAudit implements OnModuleInit, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private isUnderWay = false;

  constructor(
    private readonly documents: RememberedDocuments,
    private readonly fence: Fence,
    private readonly clock: Clock,
    private readonly metrics: Metrics,
    @Inject(LOGGER) private readonly logger: Pick<Logger, 'debug' | 'error'>,
  ) {}

  onModuleInit(): void {
    this.timer = setInterval(() => void this.look(), EVERY_MS);
    this.timer.unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** Compares the next documents. Does nothing on an idle instance. */
  async look(): Promise<void> {
    const reader = this.documents.current;
    if (this.isUnderWay || reader === undefined || !this.fence.usesRights || this.fence.isIdle) return;
    this.isUnderWay = true;
    try {
      const { compared, differing, isRoundOver } = await reader.audit(COMPARED_EACH, this.clock.nowMs());
      if (isRoundOver) this.documents.passOn();
      this.metrics.rightsAudited.inc(compared);
      if (differing.length > 0) this.distrust(differing.length);
    } catch (error) {
      this.logger[isStoreUnavailable(error) ? 'debug' : 'error']({ err: error }, 'cached documents not compared');
    } finally {
      this.isUnderWay = false;
    }
  }

  private distrust(count: number): void {
    this.metrics.rightsDiffering.inc(count);
    this.logger.error(
      { count },
      'documents changed without their rights version: was the database changed by hand? ' +
        'The cache was dropped, and the rights version is off until the next start',
    );
    this.fence.distrustRights();
  }
}
