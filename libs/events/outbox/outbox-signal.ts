import { Injectable } from '@nestjs/common';

/** Wakes this process's relay when work was left in the outbox. A signal that is lost costs a second, no more. */
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
