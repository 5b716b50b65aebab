/** How long to wait for Redis before giving up on a call, in milliseconds: BullMQ itself waits without end. */
const CALL_MS = 2_000;
/** Calls that Redis has not answered yet: BullMQ keeps each of them until Redis is back, then all are done. */
const MAX_UNANSWERED = 50;

/** Thrown when Redis did not answer in time, or was never reached. */
export class QueueUnavailable extends Error {
  override readonly name = 'QueueUnavailable';
}

/** Makes calls end that wait for Redis, and makes no more of them while too many wait already. */
export class BoundedCalls {
  private unanswered = 0;

  /** @throws QueueUnavailable */
  async within<T>(call: () => Promise<T>, limitMs = CALL_MS): Promise<T> {
    if (this.unanswered >= MAX_UNANSWERED) throw new QueueUnavailable('Redis has not answered for a while');
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
