import { Aggregate } from '#kernel';
import type { DomainEvent } from '#kernel';

/** Something that happened to no aggregate: just its event, to be published with a transaction. */
export class Occurrence extends Aggregate {
  constructor(event: DomainEvent) {
    super();
    this.record(event);
  }
}
