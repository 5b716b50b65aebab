import type { DomainEvent } from './domain-event.ts';

/** A thing with rules: its methods check, change it, and record what happened. */
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
