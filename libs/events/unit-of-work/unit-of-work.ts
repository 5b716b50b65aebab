import { Injectable } from '@nestjs/common';
import { EventBus } from '@nestjs/cqrs';
import type { ClientSession } from 'mongoose';
import { Clock } from '#kernel';
import type { CallContext, DomainEvent } from '#kernel';
import {
  Fence,
  IdempotencyKeys,
  STORE_DEADLINE_MS,
  Transactions,
  bounded,
  leaseRunOut,
  storeUnavailable,
  withinDeadline,
} from '#mongo';
import { DurablePublisher } from './durable-publisher.ts';
import type { Transaction } from './transaction.ts';
import { ChainTurns } from '../chain/chain-turns.ts';
import { chainName } from '../chain/chain.ts';
import type { ChainHead, LogEvent } from '../chain/chain.ts';
import { EventLog, isPlaceTaken } from '../log/event-log.ts';
import type { PendingEvent } from './pending-event.ts';
import type { UnitResult } from './unit-result.ts';
import { LogSafety } from './log-safety.ts';
import { OutboxSignal } from '../outbox/outbox-signal.ts';
import { followUps } from '../outbox/follow-ups.ts';
import { UnconfirmedAbsence } from './unconfirmed-absence.ts';

export interface UnitOptions {
  /** Operations (null: the platform) whose chains the unit will write to, as far as they are known beforehand. */
  readonly chains: readonly (string | null)[];
  /** Whether the change alters what tokens or callers may do: then it is answered only when the lease has run out. */
  readonly altersRights?: boolean;
  /** Whether the caller waits for the lease itself (`leaseRunOut`), once after several units. That something is not there still waits. */
  readonly isPart?: boolean;
  /**
   * Whether the caller has something better to do than to wait for its turn at the chains: then the unit is tried once,
   * and is `store-unavailable` when another writer is at one of them.
   */
  readonly atOnce?: boolean;
  /** How long it may take, tries included, in milliseconds; what a waiting client can bear when left out. */
  readonly limitMs?: number;
}

/** What a unit of work needs besides the log. */
@Injectable()
export class UnitServices {
  constructor(
    readonly clock: Clock,
    readonly fence: Fence,
    readonly idempotencyKeys: IdempotencyKeys,
    readonly outboxSignal: OutboxSignal,
    readonly safety: LogSafety,
  ) {}
}

/** A unit that is committed. */
export interface Committed<T> {
  readonly value: T;
  /** Where the chains end that it wrote to, by name. */
  readonly ends: ReadonlyMap<string, ChainHead>;
}

const NO_ENDS: ReadonlyMap<string, ChainHead> = new Map();

/** Writes a change, its events and its follow-up work in one transaction: all of it or nothing. */
@Injectable()
export class UnitOfWork {
  private readonly turns = new ChainTurns();

  constructor(
    private readonly transactions: Transactions,
    private readonly eventLog: EventLog,
    private readonly eventBus: EventBus<DomainEvent>,
    private readonly publisher: DurablePublisher,
    private readonly services: UnitServices,
  ) {}

  /**
   * @param work may run more than once; it loads what it needs with the transaction's session
   * @throws what `work` throws; DomainError `store-unavailable` when the store is away or too slow: then nothing was
   * written
   */
  async run<T>(context: CallContext, options: UnitOptions, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const { value } = await this.commit(options, async (session) => {
      const { transaction, remembered } = this.begin(session, context);
      const value = await work(transaction);
      if (context.idempotencyId !== undefined && remembered.made) {
        await this.services.idempotencyKeys.complete(session, context.idempotencyId, remembered.result);
      }
      return { value, pending: transaction.pending.map((event) => ({ event, context, at: transaction.at })) };
    });
    return value;
  }

  /**
   * The same for changes of several callers at once, each event with its own context.
   *
   * @param work gets where the chains end, as far as this instance remembers it. It may go by what it knows of a
   * chain's operation as
   * of that end, if it writes to the chain: where the chain has moved on, the unit fails and is tried again. It may run
   * more than once
   */
  async runBatch<T>(
    options: UnitOptions,
    work: (session: ClientSession, ends: ReadonlyMap<string, ChainHead>) => Promise<UnitResult<T>>,
  ): Promise<Committed<T>> {
    return this.commit(options, work, (chains) => this.turns.likelyEnds(chains));
  }

  private async commit<T>(
    options: UnitOptions,
    work: (session: ClientSession, ends: ReadonlyMap<string, ChainHead>) => Promise<UnitResult<T>>,
    likelyEnds: (chains: readonly string[]) => ReadonlyMap<string, ChainHead> = () => NO_ENDS,
  ): Promise<Committed<T>> {
    const limitMs = withinDeadline(options.limitMs ?? STORE_DEADLINE_MS);
    const deadlineAtMs = performance.now() + limitMs;
    const chains = [...new Set(options.chains.map(chainName))];
    let logged: LogEvent[] = [];
    let published: DomainEvent[] = [];
    let tries = 0;
    let committedBy: ClientSession | undefined;
    let placeTaken = false;
    const absence = new UnconfirmedAbsence(options.altersRights === true);
    const attempt = async (session: ClientSession): Promise<T> => {
      absence.reset();
      committedBy = session;
      if ((tries += 1) > 1) this.turns.lost(chains);
      let ends = likelyEnds(chains);
      // a chain is held as briefly as possible, lest a crash blocks it; where others write too, losing late costs more
      const [chain] = chains.length === 1 ? chains : [];
      const isContended = chain !== undefined && (tries > 1 || this.turns.isShared(chain));
      if (isContended && !ends.has(chain)) ends = await this.eventLog.hold(session, chain);
      const { value, pending, write } = await work(session, ends).catch((error: unknown) => absence.keep<T>(error));
      await write?.();
      logged = await this.eventLog.append(session, pending, ends).catch(async (error: unknown) => {
        placeTaken = await this.inspected(error, pending, placeTaken);
        throw error;
      });
      published = pending.map(({ event }) => event);
      return value;
    };
    await this.services.safety.chainHealth.check(chains);
    const { atOnce = false } = options;
    if (atOnce && chains.some((chain) => this.turns.isTaken(chain))) throw storeUnavailable();
    const turn = this.turns
      .run(chains, () => this.transactions.run(attempt, deadlineAtMs - performance.now(), atOnce ? 1 : Infinity))
      .catch((error: unknown) => {
        if (atOnce && chains.length === 1) this.turns.lost(chains);
        this.turns.forget(chains);
        throw error;
      });
    const value = await bounded(turn, limitMs);
    const committedAtMs = performance.now();
    if (options.altersRights === true) this.services.fence.advance(committedBy?.operationTime);
    this.deliver(logged, published);
    const waits = options.altersRights === true && (options.isPart !== true || absence.isKept);
    await this.settle(logged, waits ? committedAtMs : undefined);
    absence.throwIfAny();
    return { value, ends: new Map(logged.map((event) => [chainName(event.operationId), event])) };
  }

  /** Tells this process what was committed. */
  private deliver(logged: readonly LogEvent[], published: readonly DomainEvent[]): void {
    this.eventLog.count(logged);
    this.turns.won(logged);
    this.publisher.deliver(published);
    if (published.some((event) => followUps.has(event.type))) this.services.outboxSignal.raise();
  }

  /**
   * Waits until what was committed is recorded outside the store and, where it alters rights, in force on every
   * instance.
   */
  private async settle(logged: readonly LogEvent[], committedAtMs: number | undefined): Promise<void> {
    const recorded = this.services.safety.tombstones.record(logged);
    const inForce = committedAtMs === undefined ? undefined : leaseRunOut(committedAtMs);
    // both, so that an answer that says "not recorded" too is given only once the change is in force
    const [recording] = await Promise.allSettled([recorded, inForce]);
    if (recording.status === 'rejected') throw recording.reason;
  }

  /** Once, another writer was quicker; twice, an event may be behind the head, which no retry gets past. */
  private async inspected(error: unknown, pending: readonly PendingEvent[], wasTaken: boolean): Promise<boolean> {
    if (!isPlaceTaken(error)) return false;
    if (wasTaken) await this.services.safety.chainHealth.inspect(chainsOf(pending));
    return true;
  }

  /** Whether another writer, here or elsewhere, is likely to be at the operation's chain. */
  isBusy(operationId: string | null): boolean {
    const chain = chainName(operationId);
    return this.turns.isTaken(chain) || this.turns.isShared(chain);
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

function chainsOf(pending: readonly PendingEvent[]): string[] {
  return [...new Set(pending.map(({ event }) => chainName(event.operationId)))];
}

interface Remembered {
  made: boolean;
  result: unknown;
}
