import { Aggregate } from '#kernel';
import type { DomainEvent } from '#kernel';

/** An event without an aggregate, to be published with a transaction. */
export class Occurrence extends Aggregate {
  constructor(event: DomainEvent) {
    super();
    this.record(event);
  }
}
