import { bounded, withinDeadline, withoutDeadline } from '#mongo';

interface Waiting<V> {
  readonly resolve: (value: V | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * How long a caller waits, in milliseconds, including the queue. A request with two look-ups in a row is still answered
 * within three seconds.
 */
const ANSWER_LIMIT_MS = 1_200;

/**
 * Batches look-ups: the keys of one turn of the event loop, or those that arrive while a query is running, share one
 * query. A round trip costs far more than a document. If a query is slow, the next one starts beside it after a short
 * delay, so that one slow answer does not block the others.
 *
 * A caller never joins a query that was already sent, so its answer was read after its call.
 */
export class Coalescer<V> {
  private waiting = new Map<string, Waiting<V>[]>();
  /** When the first waiting caller called. */
  private waitingSinceMs = 0;
  private scheduled = false;
  private running = 0;
  private delay: NodeJS.Timeout | undefined;

  /**
   * @param load reads the values of the keys; its map omits keys without a value
   * @param maxRunning the maximum number of queries at a time
   * @param maxKeys the maximum number of keys in one query
   * @param delayMs how long to collect while a query is running, before the next one starts beside it
   */
  constructor(
    private readonly load: (keys: string[]) => Promise<Map<string, V>>,
    private readonly maxRunning = 2,
    private readonly maxKeys = 500,
    private readonly delayMs = 4,
  ) {}

  /** @param askedAtMs when the caller began to wait @throws DomainError `store-unavailable` */
  get(key: string, askedAtMs = performance.now()): Promise<V | undefined> {
    const answer = new Promise<V | undefined>((resolve, reject) => {
      if (this.waiting.size === 0) this.waitingSinceMs = askedAtMs;
      const waiters = this.waiting.get(key);
      if (waiters === undefined) this.waiting.set(key, [{ resolve, reject }]);
      else waiters.push({ resolve, reject });
      this.schedule();
    });
    return withinDeadline(Infinity) < Infinity ? bounded(answer, ANSWER_LIMIT_MS) : answer;
  }

  private schedule(): void {
    if (this.scheduled || this.running >= this.maxRunning || this.waiting.size === 0) return;
    if (this.running === 0 || this.waiting.size >= this.maxKeys || this.delayMs === 0) this.begin();
    else this.delay ??= setTimeout(() => this.begin(), this.delayMs);
  }

  private begin(): void {
    clearTimeout(this.delay);
    this.delay = undefined;
    if (this.scheduled) return;
    this.scheduled = true;
    // the query serves all waiting callers, so the deadline of the first one must not apply
    withoutDeadline(() =>
      setImmediate(() => {
        this.scheduled = false;
        void this.flush();
      }),
    );
  }

  private take(): Map<string, Waiting<V>[]> {
    if (this.waiting.size <= this.maxKeys) {
      const all = this.waiting;
      this.waiting = new Map();
      return all;
    }
    const part = new Map([...this.waiting].slice(0, this.maxKeys));
    for (const key of part.keys()) this.waiting.delete(key);
    return part;
  }

  private async flush(): Promise<void> {
    const leftMs = this.waitingSinceMs + ANSWER_LIMIT_MS - performance.now();
    const batch = this.take();
    if (batch.size === 0) return;
    this.running += 1;
    this.schedule();
    try {
      const values = await bounded(this.load([...batch.keys()]), leftMs);
      for (const [key, waiters] of batch) for (const waiter of waiters) waiter.resolve(values.get(key));
    } catch (error) {
      for (const waiters of batch.values()) for (const waiter of waiters) waiter.reject(error);
    } finally {
      this.running -= 1;
      this.schedule();
    }
  }
}
