import { Injectable } from '@nestjs/common';
import type { ClientSession } from 'mongoose';
import { Metrics } from '#observability';
import { MongoStore } from './mongo-store.ts';
import { STORE_DEADLINE_MS, asDomainError, bounded, isTransient, storeUnavailable } from './store-errors.ts';

const FIRST_PAUSE_MS = 4;
const LONGEST_PAUSE_MS = 60;

/** Runs work in MongoDB transactions: snapshot reads, majority writes, tried again on a conflict until the time is up. */
@Injectable()
export class Transactions {
  constructor(
    private readonly store: MongoStore,
    private readonly metrics: Metrics,
  ) {}

  /**
   * Runs `work` in a transaction and commits it.
   *
   * @param work may run more than once: it must take all its state from the store
   * @param limitMs how long the caller can wait, tries included, in milliseconds
   * @throws what `work` throws, and DomainError `store-unavailable` when the store is away or the time is up
   */
  async run<T>(work: (session: ClientSession) => Promise<T>, limitMs = STORE_DEADLINE_MS): Promise<T> {
    if (!this.store.ready || limitMs <= 0) throw storeUnavailable();
    const deadlineAt = performance.now() + limitMs;
    return bounded(this.attempts(work, deadlineAt), limitMs);
  }

  private async attempts<T>(work: (session: ClientSession) => Promise<T>, deadlineAt: number): Promise<T> {
    const session = await this.store.connection.startSession();
    try {
      for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
        try {
          return await this.attempt(session, work, deadlineAt);
        } catch (error) {
          if (!isTransient(error) || performance.now() > deadlineAt) throw asDomainError(error);
          this.metrics.storeConflicts.inc();
        }
        // the jitter keeps two instances from meeting again and again
        await new Promise((resolve) => setTimeout(resolve, pauseMs * (0.5 + Math.random())));
      }
    } finally {
      session.endSession().catch(() => undefined);
    }
  }

  private async attempt<T>(
    session: ClientSession,
    work: (session: ClientSession) => Promise<T>,
    deadlineAt: number,
  ): Promise<T> {
    session.startTransaction({ readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority' } });
    try {
      const result = await work(session);
      // whoever waited has been told that nothing was changed: then nothing may be
      if (performance.now() > deadlineAt) throw storeUnavailable();
      await session.commitTransaction();
      return result;
    } catch (error) {
      if (session.inTransaction()) await session.abortTransaction().catch(() => undefined);
      throw error;
    }
  }
}
