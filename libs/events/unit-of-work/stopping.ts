import { Injectable } from '@nestjs/common';
import type { OnModuleDestroy } from '@nestjs/common';

/** Interrupts long work that can be resumed later when the service shuts down. */
@Injectable()
export class Stopping implements OnModuleDestroy {
  private readonly controller = new AbortController();

  /** @throws Error when the service shuts down */
  check(): void {
    this.controller.signal.throwIfAborted();
  }

  onModuleDestroy(): void {
    this.controller.abort(new Error('the service is shutting down'));
  }
}
