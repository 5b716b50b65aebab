import { Injectable } from '@nestjs/common';
import type { OnModuleDestroy } from '@nestjs/common';

/** Tells work that goes on for long, and that can be taken up again, that the service stops. */
@Injectable()
export class Stopping implements OnModuleDestroy {
  private readonly controller = new AbortController();

  /** @throws Error when the service stops */
  check(): void {
    this.controller.signal.throwIfAborted();
  }

  onModuleDestroy(): void {
    this.controller.abort(new Error('the service stops'));
  }
}
