import type { mongo } from 'mongoose';
import { CODE, ignoreError } from './mongo-error-code.ts';
import { keyText } from './index-key.ts';
import type { IndexSpec, Layout, Steps } from './migration.ts';

const PROGRESS_MS = 10_000;

/** Creates collections and indexes, and reports each. While an index is built, it reports every ten seconds. */
export class LayoutSteps implements Steps {
  constructor(
    private readonly db: mongo.Db,
    private readonly say: (line: string) => void,
    /** Aborted when another process has taken over. */
    private readonly signal: AbortSignal,
  ) {}

  async createLayout(layout: Layout): Promise<void> {
    const existing = await this.db.listCollections({}, { nameOnly: true }).toArray();
    const names = new Set(existing.map(({ name }) => name));
    for (const [collection, indexes] of Object.entries(layout)) {
      if (!names.has(collection)) await this.createCollection(collection);
      await this.createIndexes(collection, indexes);
    }
  }

  private async createCollection(name: string): Promise<void> {
    this.signal.throwIfAborted();
    await ignoreError(CODE.namespaceExists, this.db.createCollection(name));
    this.say(`collection ${name}: created`);
  }

  /** Builds one index at a time: progress names it, and an interrupted build loses only its own work. */
  private async createIndexes(collection: string, indexes: readonly IndexSpec[]): Promise<void> {
    const existing = new Set((await this.db.collection(collection).indexes()).map(({ key }) => keyText(key)));
    for (const { key, ...options } of indexes) {
      this.signal.throwIfAborted();
      const text = keyText(key);
      const name = `index ${options.name ?? text} of ${collection}`;
      // also for an existing index: the store returns an error if its options differ
      await this.withProgress(name, () => this.db.collection(collection).createIndex(key, options, {}));
      if (!existing.has(text)) this.say(`${name}: created`);
    }
  }

  private async withProgress(what: string, work: () => Promise<unknown>): Promise<void> {
    const startedAtMs = performance.now();
    const seconds = (): string => ((performance.now() - startedAtMs) / 1000).toFixed(0);
    const ticks = setInterval(() => this.say(`${what}: building for ${seconds()} s`), PROGRESS_MS);
    try {
      await work();
    } finally {
      clearInterval(ticks);
    }
  }
}
