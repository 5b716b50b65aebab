import { Injectable } from '@nestjs/common';
import type { OnModuleDestroy } from '@nestjs/common';
import { DomainError } from '#kernel';

const RETRY_AFTER_SECONDS = 2;

/** Interrupts long work that can be resumed later when the service shuts down. */
@Injectable()
export class Stopping implements OnModuleDestroy {
  private readonly controller = new AbortController();

  /** Whether the service is shutting down. */
  get hasBegun(): boolean {
    return this.controller.signal.aborted;
  }

  /** @throws DomainError `store-unavailable` when the service shuts down */
  check(): void {
    this.controller.signal.throwIfAborted();
  }

  onModuleDestroy(): void {
    this.controller.abort(
      new DomainError('store-unavailable', 'This instance is shutting down. Send the request again.', {
        retryAfterSeconds: RETRY_AFTER_SECONDS,
        privateDetail: 'the service is shutting down',
      }),
    );
  }
}
