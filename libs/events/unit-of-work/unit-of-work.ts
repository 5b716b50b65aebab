import { Injectable } from '@nestjs/common';
import { EventBus } from '@nestjs/cqrs';
import type { ClientSession } from 'mongoose';
import type { ChainName, ChainHead } from '#chain';
import { Clock } from '#kernel';
import type { CallContext, DomainEvent } from '#kernel';
import { IdempotencyKeys } from '#mongo';
import { ChainTransactions } from './chain-transactions.ts';
import type { CommittedUnit, UnitOptions } from './chain-transactions.ts';
import { DryRunRollback } from './dry-run-rollback.ts';
import type { Transaction } from './transaction.ts';
import type { UnitResult } from './unit-result.ts';

/** Writes a change, its events and its follow-up work in one transaction. */
@Injectable()
export class UnitOfWork {
  constructor(
    private readonly chains: ChainTransactions,
    private readonly eventBus: EventBus<DomainEvent>,
    private readonly clock: Clock,
    private readonly idempotencyKeys: IdempotencyKeys,
  ) {}

  /**
   * @param context with `dryRun`, the change is observed and rolled back (docs/adr/0055-dry-run.md)
   * @param work may run more than once; must load its data with the transaction's session
   * @throws the errors of `work`; DryRunRollback at the end of a dry run; DomainError `store-unavailable`
   */
  async run<T>(context: CallContext, options: UnitOptions, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const { value } = await this.chains.commit(options, async (session) => {
      const { transaction, remembered } = this.begin(session, context);
      const value = await work(transaction);
      if (context.dryRun !== undefined) {
        await context.dryRun.observe(transaction);
        throw new DryRunRollback();
      }
      if (context.idempotencyId !== undefined && remembered.made) {
        await this.idempotencyKeys.complete(session, context.idempotencyId, remembered.result);
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
    return this.chains.commit(options, work, true);
  }

  /** Whether another writer, on this or another instance, probably holds the operation's chain. */
  isBusy(operationId: string | null): boolean {
    return this.chains.isBusy(operationId);
  }

  private begin(session: ClientSession, context: CallContext): { transaction: Transaction; remembered: Remembered } {
    const remembered: Remembered = { made: false, result: null };
    const transaction: Transaction = {
      session,
      context,
      at: this.clock.now(),
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
