/** The time limit of a call. BullMQ itself waits without limit. */
const CALL_MS = 2_000;
/** BullMQ keeps every unanswered call until Redis is back, so their number is limited. */
const MAX_UNANSWERED = 50;

/** Redis did not answer in time, or was never reached. */
export class QueueUnavailable extends Error {
  override readonly name = 'QueueUnavailable';
}

/** Limits the time and the number of calls that wait for Redis. */
export class BoundedCalls {
  private unanswered = 0;

  /** @throws QueueUnavailable */
  async within<T>(call: () => Promise<T>, limitMs = CALL_MS): Promise<T> {
    if (this.unanswered >= MAX_UNANSWERED) throw new QueueUnavailable('too many calls are waiting for Redis');
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new QueueUnavailable('Redis did not answer in time')), limitMs);
    });
    this.unanswered += 1;
    const answer = call().finally(() => (this.unanswered -= 1));
    try {
      return await Promise.race([answer, deadline]);
    } finally {
      clearTimeout(timer);
      answer.catch(() => undefined);
    }
  }
}
