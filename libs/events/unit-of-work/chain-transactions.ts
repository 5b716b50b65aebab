import { Injectable } from '@nestjs/common';
import type { ClientSession } from 'mongoose';
import { chainName, ChainTurns } from '#chain';
import type { ChainName, ChainHead, LogEvent } from '#chain';
import type { DomainEvent } from '#kernel';
import { STORE_DEADLINE_MS, Transactions, bounded, storeUnavailable, withinDeadline } from '#mongo';
import { ChainHealth } from '../health/chain-health.ts';
import { EventLog, isPositionTaken } from '../log/event-log.ts';
import { AfterCommit } from './after-commit.ts';
import type { PendingEvent } from './pending-event.ts';
import { UnconfirmedAbsence } from './unconfirmed-absence.ts';
import type { UnitResult } from './unit-result.ts';

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

/** The result of a committed unit. */
export interface CommittedUnit<T> {
  readonly value: T;
  /** The new heads of the chains that it wrote to, by name. */
  readonly ends: ReadonlyMap<ChainName, ChainHead>;
}

const NO_ENDS: ReadonlyMap<ChainName, ChainHead> = new Map();

/** Transactions that append their events to chains. Writers of one chain in this process take turns. */
@Injectable()
export class ChainTransactions {
  private readonly turns = new ChainTurns();

  constructor(
    private readonly transactions: Transactions,
    private readonly eventLog: EventLog,
    private readonly chainHealth: ChainHealth,
    private readonly afterCommit: AfterCommit,
  ) {}

  /**
   * @param work may run more than once
   * @param fromLikelyEnds whether an attempt may begin with the heads that this process last saw
   * @throws the errors of `work`; DomainError `store-unavailable`, `log-inconsistent`
   */
  async commit<T>(
    options: UnitOptions,
    work: (session: ClientSession, ends: ReadonlyMap<ChainName, ChainHead>) => Promise<UnitResult<T>>,
    fromLikelyEnds = false,
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
      const likelyEnds = fromLikelyEnds ? this.turns.likelyEnds(chains) : NO_ENDS;
      const ends = await this.holdIfContended(session, chains, likelyEnds, tries > 1);
      const { value, pending, write } = await work(session, ends).catch((error: unknown) => absence.keep<T>(error));
      await write?.();
      logged = await this.eventLog.append(session, pending, ends).catch(async (error: unknown) => {
        wasTaken = await this.inspectIfTaken(error, pending, wasTaken);
        throw error;
      });
      published = pending.map(({ event }) => event);
      return value;
    };
    await this.chainHealth.check(chains);
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
    if (options.altersRights === true) this.afterCommit.advanceFence(committedBy);
    this.eventLog.count(logged);
    this.turns.noteCommit(logged);
    this.afterCommit.deliver(published);
    const waits = options.altersRights === true && (options.isPart !== true || absence.isKept);
    await this.afterCommit.settle(logged, waits ? committedAtMs : undefined);
    absence.throwIfAny();
    return { value, ends: new Map(logged.map((event) => [chainName(event.operationId), event])) };
  }

  /** Locks a chain early only if it is contended: a late conflict costs more, but a crash blocks a locked chain. */
  private async holdIfContended(
    session: ClientSession,
    chains: readonly ChainName[],
    ends: ReadonlyMap<ChainName, ChainHead>,
    isRetry: boolean,
  ): Promise<ReadonlyMap<ChainName, ChainHead>> {
    const [chain] = chains.length === 1 ? chains : [];
    const isContended = chain !== undefined && (isRetry || this.turns.isShared(chain));
    return isContended && !ends.has(chain) ? this.eventLog.hold(session, chain) : ends;
  }

  /** Whether another writer, on this or another instance, probably holds the operation's chain. */
  isBusy(operationId: string | null): boolean {
    const chain = chainName(operationId);
    return this.turns.isTaken(chain) || this.turns.isShared(chain);
  }

  /**
   * A first conflict is another writer. After a second one, an event may exist beyond the head, which no retry solves.
   */
  private async inspectIfTaken(error: unknown, pending: readonly PendingEvent[], wasTaken: boolean): Promise<boolean> {
    if (!isPositionTaken(error)) return false;
    if (wasTaken) await this.chainHealth.inspect(chainsOf(pending));
    return true;
  }
}

function chainsOf(pending: readonly PendingEvent[]): ChainName[] {
  return [...new Set(pending.map(({ event }) => chainName(event.operationId)))];
}
