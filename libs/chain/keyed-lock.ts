/**
 * Runs holders of the same keys one after the other, within this process. Only avoids conflicts in the store; unique
 * indexes and transactions guarantee correctness between instances.
 */
export class KeyedLock<K extends string = string> {
  private readonly tails = new Map<K, Promise<void>>();

  /**
   * Runs `work` once all keys are free. Keys are locked in sorted order, so two holders cannot deadlock.
   *
   * @param lingerMs how long a key stays locked after the work, without the caller waiting for it
   */
  async run<T>(keys: readonly K[], work: () => Promise<T>, lingerMs: (key: K) => number = () => 0): Promise<T> {
    const taken: HeldKey<K>[] = [];
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

  isTaken(key: K): boolean {
    return this.tails.has(key);
  }

  private async take(key: K): Promise<HeldKey<K>> {
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

interface HeldKey<K> {
  readonly key: K;
  readonly release: () => void;
}
