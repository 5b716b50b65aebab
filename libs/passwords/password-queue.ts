import { sourceOf } from '#guess-limits';
import { DomainError } from '#kernel';
import { FairQueue, QueueFull } from './fair-queue.ts';

const BUSY_SECONDS = 1;

/** The caller and the user of a password. The processor is shared fairly among them. */
export interface PasswordSource {
  /** The caller's canonical address. */
  readonly address: string;
  /** The user name as sent. */
  readonly username: string;
  /** Guesses from this address within the window. Omit for a signed-in user. */
  readonly guesses?: number;
}

/** A fair queue for work on passwords. */
export class PasswordQueue {
  private readonly queue: FairQueue;

  constructor(maxRunning: number, maxWaiting: number) {
    this.queue = new FairQueue(maxRunning, maxWaiting);
  }

  /** @throws DomainError `too-busy` when the queue is full; the errors of the work */
  async run<T>({ address, username, guesses = 0 }: PasswordSource, work: () => Promise<T>): Promise<T> {
    try {
      return await this.queue.run({ source: sourceOf(address), subject: username, used: guesses }, work);
    } catch (error) {
      if (!(error instanceof QueueFull)) throw error;
      throw new DomainError('too-busy', 'Too many passwords are being checked. Try again in a second.', {
        retryAfterSeconds: BUSY_SECONDS,
      });
    }
  }
}
