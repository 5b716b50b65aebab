import { Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { EventBus } from '@nestjs/cqrs';
import type { IEventPublisher } from '@nestjs/cqrs';
import type { DomainEvent } from '#kernel';
import type { Transaction } from './transaction.ts';

/**
 * The EventBus' publisher: published events go into the event log *inside the open transaction*. Subscribers in this
 * process get them after the commit and must only do what may be lost, because the bus ignores their errors.
 */
@Injectable()
export class DurablePublisher implements IEventPublisher<DomainEvent>, OnModuleInit {
  constructor(private readonly eventBus: EventBus<DomainEvent>) {}

  onModuleInit(): void {
    this.eventBus.publisher = this;
  }

  /** @throws Error outside a unit of work, where the event would be lost */
  publish(event: DomainEvent, transaction?: unknown): void {
    asTransaction(transaction).pending.push(event);
  }

  /** @throws Error outside a unit of work */
  publishAll(events: DomainEvent[], transaction?: unknown): void {
    asTransaction(transaction).pending.push(...events);
  }

  /** Notifies this process's subscribers, after the commit. */
  deliver(events: readonly DomainEvent[]): void {
    for (const event of events) this.eventBus.subject$.next(event);
  }
}

function asTransaction(value: unknown): Transaction {
  if (typeof value === 'object' && value !== null && 'pending' in value) return value as Transaction;
  throw new Error('Publish events with their transaction: eventBus.publishAll(events, transaction)');
}
