import { isStoreUnavailable, storeUnavailable } from '#mongo';
import type { IssueOutcome, PreparedIssue } from './issue-batch.ts';

/** Requests of one transaction at most. */
const LARGEST_BATCH = 200;

/**
 * Behind a batch, the next one waits for those who were just answered and ask again: for this share of the time that
 * the batch took, and no longer than that many milliseconds. Else two halves of the callers take turns, at twice the
 * transactions.
 */
const COLLECT_FOR = 0.25;
const COLLECT_AT_MOST_MS = 5;

/** A request that has not been answered yet. */
export interface WaitingIssue {
  readonly issue: PreparedIssue;
  readonly resolve: (outcome: IssueOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/** Commits requests in batches, one after the other: what arrives meanwhile makes the next batch. */
export class IssueLane {
  private waiting: WaitingIssue[] = [];
  private underWay = false;
  private scheduled = false;
  private patience: NodeJS.Timeout | undefined;
  /** How many are likely to ask before then, by `performance.now()`. */
  private expected = { callers: 0, untilMs: 0 };

  /**
   * @param commit answers every request of the batch, or throws and answers none
   * @param onIdle called when nothing waits any more
   */
  constructor(
    private readonly commit: (batch: readonly WaitingIssue[]) => Promise<void>,
    private readonly onIdle: () => void = () => undefined,
  ) {}

  add(waiting: WaitingIssue): void {
    this.waiting.push(waiting);
    this.schedule();
  }

  private schedule(): void {
    if (this.underWay || this.scheduled) return;
    if (this.waiting.length === 0) {
      this.onIdle();
      return;
    }
    const restMs = this.waiting.length < this.expected.callers ? this.expected.untilMs - performance.now() : 0;
    if (restMs > 0) this.patience ??= setTimeout(() => this.begin(), restMs);
    else this.begin();
  }

  private begin(): void {
    clearTimeout(this.patience);
    this.patience = undefined;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      void this.flush();
    });
  }

  private async flush(): Promise<void> {
    const batch = this.nextBatch();
    if (batch.length === 0) {
      this.schedule();
      return;
    }
    this.underWay = true;
    const beganAtMs = performance.now();
    try {
      await this.commit(batch);
    } catch (error) {
      await this.oneByOne(batch, error);
    } finally {
      this.underWay = false;
      const nowMs = performance.now();
      const collectMs = Math.min((nowMs - beganAtMs) * COLLECT_FOR, COLLECT_AT_MOST_MS);
      const callers = Math.min(batch.length + this.waiting.length, LARGEST_BATCH);
      this.expected = { callers, untilMs: nowMs + collectMs };
      this.schedule();
    }
  }

  /** Those who waited too long already, behind a store that is slow, are not tried at all. */
  private nextBatch(): WaitingIssue[] {
    const nowMs = performance.now();
    return this.waiting.splice(0, LARGEST_BATCH).filter(({ issue, reject }) => {
      const isInTime = nowMs < issue.request.deadlineAtMs;
      if (!isInTime) reject(storeUnavailable());
      return isInTime;
    });
  }

  /** One bad request must not spoil the batch. */
  private async oneByOne(batch: readonly WaitingIssue[], error: unknown): Promise<void> {
    if (batch.length === 1 || isStoreUnavailable(error)) {
      for (const { reject } of batch) reject(error);
      return;
    }
    for (const single of batch) await this.commit([single]).catch((own: unknown) => single.reject(own));
  }
}
