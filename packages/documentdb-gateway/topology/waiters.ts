/** A client's connection, as far as a wait needs it. */
interface Closable {
  readonly whenClosed: (callback: () => void) => () => void;
}

/** How a wait ended. */
export type WaitResult = 'met' | 'timed-out' | 'disconnected';

/** Waits for conditions that only change when `notify` is called. */
export class Waiters {
  readonly #checks = new Set<() => void>();

  /** Checks all conditions that are waited for. */
  notify(): void {
    for (const check of [...this.#checks]) check();
  }

  /**
   * Waits until a condition is met.
   * @param isMet the condition; may throw to end the wait with an error
   * @param limitMs 0 waits without a limit
   * @param connection the client; the wait ends when it goes
   */
  async until(isMet: () => boolean, limitMs: number, connection: Closable): Promise<WaitResult> {
    if (isMet()) return 'met';
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        this.#checks.delete(check);
        forget();
        settle();
      };
      const check = (): void => {
        try {
          if (isMet()) end(() => resolve('met'));
        } catch (error) {
          end(() => reject(error instanceof Error ? error : new Error(String(error))));
        }
      };
      const timer = limitMs > 0 ? setTimeout(() => end(() => resolve('timed-out')), limitMs) : undefined;
      let forget = (): void => undefined;
      this.#checks.add(check);
      forget = connection.whenClosed(() => end(() => resolve('disconnected')));
    });
  }
}
