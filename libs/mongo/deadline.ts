import { AsyncLocalStorage } from 'node:async_hooks';

/** When whoever asked must have the answer, by `performance.now()`. */
const deadline = new AsyncLocalStorage<number>();

/**
 * Runs `work` such that whatever it asks of the store, one thing after the other, is over by then. Background work that
 * it sets off is to be freed by `withoutDeadline`.
 *
 * @param atMs by `performance.now()`
 */
export function beforeDeadline<T>(atMs: number, work: () => T): T {
  return deadline.run(atMs, work);
}

/** Runs `work`, which nobody waits for, in its own time. */
export function withoutDeadline<T>(work: () => T): T {
  return deadline.exit(work);
}

/** The limit, or less where the deadline comes sooner; 0 or less when it is past. */
export function withinDeadline(limitMs: number): number {
  const atMs = deadline.getStore();
  return atMs === undefined ? limitMs : Math.min(limitMs, atMs - performance.now());
}
