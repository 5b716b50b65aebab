import { Piscina } from 'piscina';
import { threadFile } from './thread-file.ts';

/** The thread ends after this time without a new password, in milliseconds, and with it 20 MB of word lists. */
const IDLE_MS = 5 * 60 * 1000;

/**
 * zxcvbn in a thread of its own, at a low priority: a crafted password of 64 characters takes it 50 ms, and loading the
 * word lists as long.
 */
export class PasswordScores {
  private readonly pool = new Piscina({
    filename: threadFile('score-thread'),
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: IDLE_MS,
  });

  /** The score from 0 to 4. @param words what this user's password should not be made of */
  score(text: string, words: readonly string[]): Promise<number> {
    return this.pool.run({ text, words }, { name: 'score' }) as Promise<number>;
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    await this.pool.destroy();
  }
}
