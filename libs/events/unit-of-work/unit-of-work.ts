import { Injectable } from '@nestjs/common';
import { EventBus } from '@nestjs/cqrs';
import type { ClientSession } from 'mongoose';
import { Fence, leaseRunOut } from '#fence';
import { Clock } from '#kernel';
import type { CallContext, DomainEvent } from '#kernel';
import { IdempotencyKeys, STORE_DEADLINE_MS, Transactions, bounded, storeUnavailable, withinDeadline } from '#mongo';
import { DurablePublisher } from './durable-publisher.ts';
import type { Transaction } from './transaction.ts';
import { ChainTurns } from '../chain/chain-turns.ts';
import { chainName } from '../chain/chain-name.ts';
import type { ChainHead, LogEvent } from '../chain/chain.ts';
import { EventLog, isPositionTaken } from '../log/event-log.ts';
import type { PendingEvent } from './pending-event.ts';
import type { UnitResult } from './unit-result.ts';
import { LogSafety } from './log-safety.ts';
import { UnconfirmedAbsence } from './unconfirmed-absence.ts';
import type { ChainName } from '../chain/chain-name.ts';

export interface UnitOptions {
  /** The operations (null: the platform) whose chains the unit will write to, as far as known. */
  readonly chains: readonly (string | null)[];
  /**
   * Whether the change alters rights of tokens or callers. If so, the unit returns only after the lease has expired.
   */
  readonly altersRights?: boolean;
  /**
   * Whether the caller waits for the lease itself (`leaseRunOut`), once after several units. A `not-found` still waits.
   */
  readonly isPart?: boolean;
  /**
   * Fail with `store-unavailable` instead of queueing behind another writer of one of the chains.
   */
  readonly tryOnce?: boolean;
  /** The time limit including retries. Default: the limit of a request. */
  readonly limitMs?: number;
}

/** The dependencies of the unit of work other than the log. */
@Injectable()
export class UnitServices {
  constructor(
    readonly clock: Clock,
    readonly fence: Fence,
    readonly idempotencyKeys: IdempotencyKeys,
    readonly safety: LogSafety,
  ) {}
}

/** The result of a committed unit. */
export interface CommittedUnit<T> {
  readonly value: T;
  /** The new heads of the chains that it wrote to, by name. */
  readonly ends: ReadonlyMap<ChainName, ChainHead>;
}

const NO_ENDS: ReadonlyMap<ChainName, ChainHead> = new Map();

/** Writes a change, its events and its follow-up work in one transaction. */
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
   * @param work may run more than once; must load its data with the transaction's session
   * @throws the errors of `work`; DomainError `store-unavailable` when the store is unavailable or too slow
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
   * Like `run`, for the changes of several callers, each event with its own context.
   *
   * @param work receives cached chain heads. It may use cached data of that head if it writes to the chain: if the
   * chain has advanced, the unit is retried. May run more than once
   */
  async runBatch<T>(
    options: UnitOptions,
    work: (session: ClientSession, ends: ReadonlyMap<ChainName, ChainHead>) => Promise<UnitResult<T>>,
  ): Promise<CommittedUnit<T>> {
    return this.commit(options, work, (chains) => this.turns.likelyEnds(chains));
  }

  private async commit<T>(
    options: UnitOptions,
    work: (session: ClientSession, ends: ReadonlyMap<ChainName, ChainHead>) => Promise<UnitResult<T>>,
    likelyEnds: (chains: readonly ChainName[]) => ReadonlyMap<ChainName, ChainHead> = () => NO_ENDS,
  ): Promise<CommittedUnit<T>> {
    const limitMs = withinDeadline(options.limitMs ?? STORE_DEADLINE_MS);
    const deadlineAtMs = performance.now() + limitMs;
    const chains = [...new Set(options.chains.map(chainName))];
    let logged: LogEvent[] = [];
    let published: DomainEvent[] = [];
    let tries = 0;
    let committedBy: ClientSession | undefined;
    let wasTaken = false;
    const absence = new UnconfirmedAbsence(options.altersRights === true);
    const attempt = async (session: ClientSession): Promise<T> => {
      absence.reset();
      committedBy = session;
      if ((tries += 1) > 1) this.turns.noteLoss(chains);
      let ends = likelyEnds(chains);
      // lock a chain early only if it is contended: a late conflict costs more, but a crash blocks a locked chain
      const [chain] = chains.length === 1 ? chains : [];
      const isContended = chain !== undefined && (tries > 1 || this.turns.isShared(chain));
      if (isContended && !ends.has(chain)) ends = await this.eventLog.hold(session, chain);
      const { value, pending, write } = await work(session, ends).catch((error: unknown) => absence.keep<T>(error));
      await write?.();
      logged = await this.eventLog.append(session, pending, ends).catch(async (error: unknown) => {
        wasTaken = await this.inspectIfTaken(error, pending, wasTaken);
        throw error;
      });
      published = pending.map(({ event }) => event);
      return value;
    };
    await this.services.safety.chainHealth.check(chains);
    const { tryOnce = false } = options;
    if (tryOnce && chains.some((chain) => this.turns.isTaken(chain))) throw storeUnavailable();
    const turn = this.turns
      .run(chains, () => this.transactions.run(attempt, deadlineAtMs - performance.now(), tryOnce ? 1 : Infinity))
      .catch((error: unknown) => {
        if (tryOnce && chains.length === 1) this.turns.noteLoss(chains);
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

  /** Notifies this process of the commit. */
  private deliver(logged: readonly LogEvent[], published: readonly DomainEvent[]): void {
    this.eventLog.count(logged);
    this.turns.noteCommit(logged);
    this.publisher.deliver(published);
  }

  /**
   * Waits until the change is recorded outside the store and, if it alters rights, in force on every instance.
   */
  private async settle(logged: readonly LogEvent[], committedAtMs: number | undefined): Promise<void> {
    const recorded = this.services.safety.tombstones.record(logged);
    const inForce = committedAtMs === undefined ? undefined : leaseRunOut(committedAtMs);
    // wait for both: even the answer "not recorded" may be sent only once the change is in force
    const [recording] = await Promise.allSettled([recorded, inForce]);
    if (recording.status === 'rejected') throw recording.reason;
  }

  /**
   * A first conflict is another writer. After a second one, an event may exist beyond the head, which no retry solves.
   */
  private async inspectIfTaken(error: unknown, pending: readonly PendingEvent[], wasTaken: boolean): Promise<boolean> {
    if (!isPositionTaken(error)) return false;
    if (wasTaken) await this.services.safety.chainHealth.inspect(chainsOf(pending));
    return true;
  }

  /** Whether another writer, on this or another instance, probably holds the operation's chain. */
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

function chainsOf(pending: readonly PendingEvent[]): ChainName[] {
  return [...new Set(pending.map(({ event }) => chainName(event.operationId)))];
}

interface Remembered {
  made: boolean;
  result: unknown;
}
