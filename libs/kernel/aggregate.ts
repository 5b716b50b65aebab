import type { DomainEvent } from './domain-event.ts';

/** An object with rules: its methods check a change, apply it and record the event. */
export abstract class Aggregate {
  private readonly recorded: DomainEvent[] = [];

  protected record(event: DomainEvent): void {
    this.recorded.push(event);
  }

  /** The events since the last call. Handlers publish them in the transaction that saves the aggregate. */
  pullEvents(): DomainEvent[] {
    return this.recorded.splice(0);
  }
}
