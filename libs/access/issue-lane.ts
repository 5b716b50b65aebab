import { isStoreUnavailable, storeUnavailable } from '#mongo';
import type { IssueOutcome, PreparedIssue } from './issue-batch.ts';

const MAX_BATCH_SIZE = 200;

/**
 * After a batch, wait briefly (25 % of the last commit, at most 5 ms) for clients that immediately ask again. Otherwise
 * two halves of the callers alternate and double the number of transactions.
 */
const COLLECT_SHARE = 0.25;
const MAX_COLLECT_MS = 5;

/** A request that has not been answered yet. */
export interface WaitingIssue {
  readonly issue: PreparedIssue;
  readonly resolve: (outcome: IssueOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/** Commits requests in batches, one after the other. Requests that arrive during a commit form the next batch. */
export class IssueLane {
  private waiting: WaitingIssue[] = [];
  private underWay = false;
  private scheduled = false;
  private patience: NodeJS.Timeout | undefined;
  /** How many callers are likely to ask again until then, by `performance.now()`. */
  private expected = { callers: 0, untilMs: 0 };

  /**
   * @param commit answers every request of the batch, or throws and answers none
   * @param onIdle called when no request is left
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
      const collectMs = Math.min((nowMs - beganAtMs) * COLLECT_SHARE, MAX_COLLECT_MS);
      const callers = Math.min(batch.length + this.waiting.length, MAX_BATCH_SIZE);
      this.expected = { callers, untilMs: nowMs + collectMs };
      this.schedule();
    }
  }

  /** Drops requests that have waited too long behind a slow store. */
  private nextBatch(): WaitingIssue[] {
    const nowMs = performance.now();
    return this.waiting.splice(0, MAX_BATCH_SIZE).filter(({ issue, reject }) => {
      const isInTime = nowMs < issue.request.deadlineAtMs;
      if (!isInTime) reject(storeUnavailable());
      return isInTime;
    });
  }

  /** One bad request must not fail the others. */
  private async oneByOne(batch: readonly WaitingIssue[], error: unknown): Promise<void> {
    if (batch.length === 1 || isStoreUnavailable(error)) {
      for (const { reject } of batch) reject(error);
      return;
    }
    for (const single of batch) await this.commit([single]).catch((own: unknown) => single.reject(own));
  }
}
