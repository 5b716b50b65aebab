import { Injectable } from '@nestjs/common';

/** Wakes this process's relay after a write to the outbox. A lost signal delays the work by at most a second. */
@Injectable()
export class OutboxSignal {
  private listener: (() => void) | undefined;

  onRaise(listener: () => void): void {
    this.listener = listener;
  }

  raise(): void {
    this.listener?.();
  }
}
