import { Injectable } from '@nestjs/common';
import { EventBus } from '@nestjs/cqrs';
import type { ClientSession } from 'mongoose';
import { Clock } from '#kernel';
import type { Aggregate, CallContext, DomainEvent } from '#kernel';
import { IdempotencyKeys, STORE_DEADLINE_MS, Transactions, bounded, leaseRunOut } from '#mongo';
import { DurablePublisher } from './durable-publisher.ts';
import { chainName } from './chain.ts';
import { EventLog } from './event-log.ts';
import { KeyedLock } from './keyed-lock.ts';
import { OutboxSignal } from './outbox-signal.ts';
import { followUps } from './queues.ts';

/** One run of a unit of work. `pending` holds the events published so far; the unit appends them before it commits. */
export interface Transaction {
  readonly session: ClientSession;
  readonly context: CallContext;
  /** Store time at which this run began; every date that the change writes. */
  readonly at: Date;
  readonly pending: DomainEvent[];
  /** Publishes, through the EventBus, what the aggregates recorded. */
  publish(...aggregates: Aggregate[]): void;
  /** What a replay of the same Idempotency-Key is to answer: the answer's body, without any secret. */
  remember(result: unknown): void;
}

export interface UnitOptions {
  /** Operations (null: the platform) whose chains the unit will write to, as far as they are known beforehand. */
  readonly chains: readonly (string | null)[];
  /** Whether the change alters what tokens or callers may do: then it is answered only when the lease has run out. */
  readonly altersRights?: boolean;
  /** How long it may take, tries included, in milliseconds; what a waiting client can bear when left out. */
  readonly limitMs?: number;
}

/** Writes a change, its events and its follow-up work in one transaction: all of it or nothing. */
@Injectable()
export class UnitOfWork {
  private readonly locks = new KeyedLock();

  constructor(
    private readonly transactions: Transactions,
    private readonly eventLog: EventLog,
    private readonly eventBus: EventBus<DomainEvent>,
    private readonly publisher: DurablePublisher,
    private readonly services: UnitServices,
  ) {}

  /**
   * @param work may run more than once; it loads what it needs with the transaction's session
   * @throws what `work` throws; DomainError `store-unavailable` when the store is away or too slow: then nothing was written
   */
  async run<T>(context: CallContext, options: UnitOptions, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const limitMs = options.limitMs ?? STORE_DEADLINE_MS;
    const deadlineAtMs = performance.now() + limitMs;
    let published: DomainEvent[] = [];
    let count = (): void => undefined;
    const result = await bounded(
      this.locks.run(options.chains.map(chainName), () =>
        this.transactions.run(async (session) => {
          const { transaction, remembered } = this.begin(session, context);
          const value = await work(transaction);
          const at = transaction.at;
          const logged = await this.eventLog.append(
            session,
            transaction.pending.map((event) => ({ event, context, at })),
          );
          if (context.idempotencyId !== undefined && remembered.made) {
            await this.services.idempotencyKeys.fulfil(session, context.idempotencyId, remembered.result);
          }
          published = transaction.pending;
          count = () => this.eventLog.count(logged);
          return value;
        }, deadlineAtMs - performance.now()),
      ),
      limitMs,
    );
    const committedAtMs = performance.now();
    count();
    this.publisher.deliver(published);
    if (published.some((event) => followUps[event.type] !== undefined)) this.services.outboxSignal.raise();
    if (options.altersRights === true) await leaseRunOut(committedAtMs);
    return result;
  }

  private begin(session: ClientSession, context: CallContext): { transaction: Transaction; remembered: Remembered } {
    const remembered: Remembered = { made: false, result: null };
    const transaction: Transaction = {
      session,
      context,
      at: this.services.clock.now(),
      pending: [],
      publish: (...aggregates) => {
        for (const aggregate of aggregates) this.eventBus.publishAll(aggregate.pullEvents(), transaction);
      },
      remember: (result) => {
        remembered.made = true;
        remembered.result = result;
      },
    };
    return { transaction, remembered };
  }
}

interface Remembered {
  made: boolean;
  result: unknown;
}

/** What a unit of work needs besides the log. */
@Injectable()
export class UnitServices {
  constructor(
    readonly clock: Clock,
    readonly idempotencyKeys: IdempotencyKeys,
    readonly outboxSignal: OutboxSignal,
  ) {}
}
