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
 * At most the time for which an instance leaves a shared chain to others (libs/chain/chain-turns.ts): a longer
 * pause would miss its turn.
 */
const MAX_PAUSE_MS = 12;
/** The pause before a commit without an answer is repeated. */
const COMMIT_AGAIN_MS = 32;
/** After conflicts for this long, an instance may have died in a transaction. In milliseconds. */
const LONG_CONFLICT_MS = 500;

/**
 * Runs MongoDB transactions with snapshot reads and majority writes. Retries them after a conflict until the deadline.
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
   * @param work may run more than once, so it must read all its state from the store
   * @param limitMs the time limit including retries, in milliseconds
   * @param tries the maximum number of attempts
   * @throws the errors of `work`; DomainError `store-unavailable` if the store is unavailable, or after the last
   *   attempt or the time limit
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
        // the jitter prevents two instances from conflicting again and again
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
      // the caller was told that nothing was changed, so nothing may be committed now
      if (performance.now() > deadlineAt) throw storeUnavailable();
      await this.commit(session, deadlineAt);
      return result;
    } catch (error) {
      if (session.inTransaction()) await session.abortTransaction().catch(() => undefined);
      throw error;
    }
  }

  /**
   * Commits. Repeats a commit without an answer: it takes place once, and the caller needs to know the result.
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

/** Whether the store did not answer. Then it may not know either that the transaction was aborted. */
function wasNotAnswered(error: unknown): boolean {
  const met = error instanceof DomainError || error instanceof TransactionConflict ? error.cause : error;
  return met !== undefined && (isConnectionLost(met) || isStoreUnavailable(met));
}

/**
 * Makes a lost connection a conflict, because an uncommitted transaction can be retried. The driver labels only the
 * first lost connection as transient.
 */
function tryAgainIfLost(error: unknown): never {
  throw isConnectionLost(error) ? new TransactionConflict('the connection was lost', { cause: error }) : error;
}
