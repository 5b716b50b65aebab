/**
 * Lets holders of the same keys in one after the other, within this process. Only a courtesy that saves the store conflicts:
 * what must hold between instances is held by unique indexes and transactions.
 */
export class KeyedLock {
  private readonly tails = new Map<string, Promise<void>>();

  /**
   * Runs `work` when all keys are free. Keys are taken in sorted order, so two holders cannot wait for each other.
   *
   * @param lingerMs how long a key stays taken after the work, in milliseconds; the caller does not wait for that
   */
  async run<T>(
    keys: readonly string[],
    work: () => Promise<T>,
    lingerMs: (key: string) => number = () => 0,
  ): Promise<T> {
    const taken: Taken[] = [];
    try {
      for (const key of [...new Set(keys)].sort()) taken.push(await this.take(key));
      return await work();
    } finally {
      for (const { key, release } of taken) {
        const restMs = lingerMs(key);
        if (restMs > 0) setTimeout(release, restMs);
        else release();
      }
    }
  }

  isTaken(key: string): boolean {
    return this.tails.has(key);
  }

  private async take(key: string): Promise<Taken> {
    const before = this.tails.get(key);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const tail = promise.then(() => {
      if (this.tails.get(key) === tail) this.tails.delete(key);
    });
    this.tails.set(key, tail);
    await before;
    return { key, release: () => resolve(undefined) };
  }
}

interface Taken {
  readonly key: string;
  readonly release: () => void;
}
