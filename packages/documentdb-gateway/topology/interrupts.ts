import { MongoError } from '../errors.ts';
import type { Member } from './member.ts';

interface Running {
  readonly member: Member;
  readonly survivesStepDown: boolean;
  readonly fail: (error: MongoError) => void;
}

/** The operations under way, which a member interrupts when it steps down or shuts down. */
export class Interrupts {
  readonly #running = new Set<Running>();

  /**
   * Waits for an operation, unless its member interrupts it. What it does in the database may still happen.
   * @param survivesStepDown reads without a lock go on while the member becomes a secondary
   */
  async guard<T>(member: Member, survivesStepDown: boolean, operation: Promise<T>): Promise<T> {
    let entry: Running | undefined;
    const interrupted = new Promise<never>((_resolve, reject) => {
      entry = { member, survivesStepDown, fail: reject };
      this.#running.add(entry);
    });
    try {
      return await Promise.race([operation, interrupted]);
    } finally {
      if (entry) this.#running.delete(entry);
      operation.catch(() => undefined); // may fail after it was interrupted
    }
  }

  stepDown(member: Member): void {
    const error = new MongoError(
      11602,
      'InterruptedDueToReplStateChange',
      'operation was interrupted: the member stepped down',
    );
    this.#interrupt(({ survivesStepDown, ...running }) => running.member === member && !survivesStepDown, error);
  }

  shutDown(member: Member): void {
    const error = new MongoError(11600, 'InterruptedAtShutdown', 'interrupted at shutdown');
    this.#interrupt((running) => running.member === member, error);
  }

  #interrupt(applies: (running: Running) => boolean, error: MongoError): void {
    for (const running of [...this.#running]) if (applies(running)) running.fail(error);
  }
}
