import { Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { EventBus } from '@nestjs/cqrs';
import type { IEventPublisher } from '@nestjs/cqrs';
import type { DomainEvent } from '#kernel';
import type { Transaction } from './transaction.ts';

/**
 * The EventBus' publisher: what a handler publishes goes into the event log *inside the open transaction*, never past it.
 * (The bus as it comes neither waits for its handlers nor minds their errors.) Subscribers in this process hear of an
 * event only after the commit, and must do nothing that may not be lost.
 */
@Injectable()
export class DurablePublisher implements IEventPublisher<DomainEvent>, OnModuleInit {
  constructor(private readonly eventBus: EventBus<DomainEvent>) {}

  onModuleInit(): void {
    this.eventBus.publisher = this;
  }

  /** @throws Error when it is called outside a unit of work: such an event would be lost */
  publish(event: DomainEvent, transaction?: unknown): void {
    asTransaction(transaction).pending.push(event);
  }

  /** @throws Error when it is called outside a unit of work */
  publishAll(events: DomainEvent[], transaction?: unknown): void {
    asTransaction(transaction).pending.push(...events);
  }

  /** Tells this process's subscribers, after the commit. */
  deliver(events: readonly DomainEvent[]): void {
    for (const event of events) this.eventBus.subject$.next(event);
  }
}

function asTransaction(value: unknown): Transaction {
  if (typeof value === 'object' && value !== null && 'pending' in value) return value as Transaction;
  throw new Error(
    'Events are published with the transaction that they belong to: eventBus.publishAll(events, transaction)',
  );
}
