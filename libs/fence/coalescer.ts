import { bounded, withinDeadline, withoutDeadline } from '#mongo';

interface Waiting<V> {
  readonly resolve: (value: V | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * How long a caller waits for its answer, in milliseconds, the time in the queue included: a request that needs two
 * look-ups after one another is still answered within three seconds.
 */
const ANSWER_LIMIT_MS = 1_200;

/**
 * Collects the keys that are asked for in one turn of the event loop, or while an earlier query is under way, into one
 * query. A round trip costs far more than a document, so a hundred callers pay little more than one. Only behind a
 * query that takes its time another one goes out, so that one slow answer does not hold everybody up.
 *
 * A caller never joins a query that was already sent: what it gets was read after it asked.
 */
export class Coalescer<V> {
  private waiting = new Map<string, Waiting<V>[]>();
  /** When the first of those who wait asked. */
  private waitingSinceMs = 0;
  private scheduled = false;
  private underWay = 0;
  private patience: NodeJS.Timeout | undefined;

  /**
   * @param load fetches the values of the keys; keys without a value are left out of the map
   * @param maxUnderWay how many queries may run at once
   * @param maxKeys how many keys one query may have
   * @param patienceMs how long to collect behind a query that is under way, before the next one goes out beside it
   */
  constructor(
    private readonly load: (keys: string[]) => Promise<Map<string, V>>,
    private readonly maxUnderWay = 2,
    private readonly maxKeys = 500,
    private readonly patienceMs = 4,
  ) {}

  /** @param askedAtMs since when the caller waits. @throws DomainError `store-unavailable` */
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
    if (this.scheduled || this.underWay >= this.maxUnderWay || this.waiting.size === 0) return;
    if (this.underWay === 0 || this.waiting.size >= this.maxKeys || this.patienceMs === 0) this.begin();
    else this.patience ??= setTimeout(() => this.begin(), this.patienceMs);
  }

  private begin(): void {
    clearTimeout(this.patience);
    this.patience = undefined;
    if (this.scheduled) return;
    this.scheduled = true;
    // queries follow one another for all callers: the deadline of the one who began is not that of the others
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
    this.underWay += 1;
    this.schedule();
    try {
      const values = await bounded(this.load([...batch.keys()]), leftMs);
      for (const [key, waiters] of batch) for (const waiter of waiters) waiter.resolve(values.get(key));
    } catch (error) {
      for (const waiters of batch.values()) for (const waiter of waiters) waiter.reject(error);
    } finally {
      this.underWay -= 1;
      this.schedule();
    }
  }
}
