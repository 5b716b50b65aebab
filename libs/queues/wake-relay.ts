import { EventsHandler } from '@nestjs/cqrs';
import type { IEventHandler } from '@nestjs/cqrs';
import { CredentialDeleted } from '#event-types';
import { OutboxRelay } from './outbox-relay.ts';

/** Wakes the relay when this instance committed follow-up work. A lost event costs a second: the relay polls too. */
@EventsHandler(CredentialDeleted)
export class WakeRelay implements IEventHandler<CredentialDeleted> {
  constructor(private readonly relay: OutboxRelay) {}

  handle(): void {
    this.relay.wake();
  }
}
