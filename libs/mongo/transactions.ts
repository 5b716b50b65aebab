import { Injectable } from '@nestjs/common';
import type { ClientSession } from 'mongoose';
import { DomainError } from '#kernel';
import { Metrics } from '#observability';
import { MongoStore } from './mongo-store.ts';
import { SessionPool } from './session-pool.ts';
import {
  STORE_DEADLINE_MS,
  TransactionConflict,
  asDomainError,
  bounded,
  isCommitUnknown,
  isConnectionLost,
  isStoreUnavailable,
  isTransient,
  storeUnavailable,
} from './store-errors.ts';

const FIRST_PAUSE_MS = 4;
/**
 * No longer than an instance leaves a shared chain to others (libs/events/chain/chain-turns.ts): who pauses for longer
 * misses its turn.
 */
const MAX_PAUSE_MS = 12;
/** The pause before a commit is asked for again whose answer was lost. */
const COMMIT_AGAIN_MS = 32;
/** Conflicts for this long are not the usual race: somebody may have died in a transaction, in milliseconds. */
const LONG_CONFLICT_MS = 500;

/**
 * Runs work in MongoDB transactions: snapshot reads, majority writes, tried again on a conflict until the time is up.
 */
@Injectable()
export class Transactions {
  constructor(
    private readonly store: MongoStore,
    private readonly metrics: Metrics,
    private readonly sessions: SessionPool,
  ) {}

  /**
   * Runs `work` in a transaction and commits it.
   *
   * @param work may run more than once: it must take all its state from the store
   * @param limitMs how long the caller can wait, tries included, in milliseconds
   * @param tries how often it is tried at most
   * @throws what `work` throws, and DomainError `store-unavailable` when the store is away or the time or the tries are
   * over
   */
  async run<T>(
    work: (session: ClientSession) => Promise<T>,
    limitMs = STORE_DEADLINE_MS,
    tries = Infinity,
  ): Promise<T> {
    if (!this.store.ready || limitMs <= 0) throw storeUnavailable();
    const deadlineAt = performance.now() + limitMs;
    return bounded(this.attempts(work, deadlineAt, tries), limitMs);
  }

  private async attempts<T>(
    work: (session: ClientSession) => Promise<T>,
    deadlineAt: number,
    tries: number,
  ): Promise<T> {
    const beganAtMs = performance.now();
    const session = await this.sessions.take();
    let mayBeOpen = false;
    try {
      for (let left = tries - 1, pauseMs = FIRST_PAUSE_MS; ; left -= 1) {
        try {
          const result = await this.attempt(session, work, deadlineAt);
          mayBeOpen = false;
          return result;
        } catch (error) {
          mayBeOpen = wasNotAnswered(error);
          if (!isTransient(error)) throw asDomainError(error);
          this.metrics.storeConflicts.inc();
          if (left <= 0 || performance.now() > deadlineAt) throw asDomainError(error);
        }
        if (performance.now() - beganAtMs > LONG_CONFLICT_MS) await this.sessions.endDeadInstances();
        // the jitter keeps two instances from meeting again and again
        await new Promise((resolve) => setTimeout(resolve, pauseMs * (0.5 + Math.random())));
        pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS);
      }
    } finally {
      this.sessions.give(session, mayBeOpen);
    }
  }

  private async attempt<T>(
    session: ClientSession,
    work: (session: ClientSession) => Promise<T>,
    deadlineAt: number,
  ): Promise<T> {
    session.startTransaction({ readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority', journal: true } });
    try {
      const result = await work(session).catch(tryAgainIfLost);
      // whoever waited has been told that nothing was changed: then nothing may be
      if (performance.now() > deadlineAt) throw storeUnavailable();
      await this.commit(session, deadlineAt);
      return result;
    } catch (error) {
      if (session.inTransaction()) await session.abortTransaction().catch(() => undefined);
      throw error;
    }
  }

  /**
   * A commit whose answer was lost is asked for again: it takes place once, and who waits should not be left in doubt.
   */
  private async commit(session: ClientSession, deadlineAt: number): Promise<void> {
    for (;;) {
      try {
        await session.commitTransaction();
        return;
      } catch (error) {
        const unknown = isCommitUnknown(error) || isConnectionLost(error);
        if (!unknown || performance.now() > deadlineAt) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, COMMIT_AGAIN_MS));
    }
  }
}

/** Whether the store was not heard: then it may not have heard either that the transaction was given up. */
function wasNotAnswered(error: unknown): boolean {
  const met = error instanceof DomainError || error instanceof TransactionConflict ? error.cause : error;
  return met !== undefined && (isConnectionLost(met) || isStoreUnavailable(met));
}

/**
 * What was not committed can be tried again. The driver says so of the first connection that is lost, and not of those
 * lost along with it.
 */
function tryAgainIfLost(error: unknown): never {
  throw isConnectionLost(error) ? new TransactionConflict('the connection was lost', { cause: error }) : error;
}
