/**
 * Lets holders of the same keys in one after the other, within this process. Only a courtesy that saves the store conflicts:
 * what must hold between instances is held by unique indexes and transactions.
 */
export class KeyedLock {
  private readonly tails = new Map<string, Promise<void>>();

  /** Runs `work` when all keys are free. Keys are taken in sorted order, so two holders cannot wait for each other. */
  async run<T>(keys: readonly string[], work: () => Promise<T>): Promise<T> {
    const releases: (() => void)[] = [];
    try {
      for (const key of [...new Set(keys)].sort()) releases.push(await this.take(key));
      return await work();
    } finally {
      for (const release of releases) release();
    }
  }

  private async take(key: string): Promise<() => void> {
    const before = this.tails.get(key);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const tail = promise.then(() => {
      if (this.tails.get(key) === tail) this.tails.delete(key);
    });
    this.tails.set(key, tail);
    await before;
    return () => resolve(undefined);
  }
}
