import type { mongo } from 'mongoose';
import { CODE, ignoring } from './error-code.ts';
import { keyText } from './index-key.ts';
import type { IndexSpec, Layout, Steps } from './migration.ts';

const PROGRESS_MS = 10_000;

/** Makes collections and indexes, and reports each that it makes; a slow one every ten seconds. */
export class LayoutSteps implements Steps {
  constructor(
    private readonly db: mongo.Db,
    private readonly say: (line: string) => void,
    /** Aborted when another process has taken over. */
    private readonly signal: AbortSignal,
  ) {}

  async make(layout: Layout): Promise<void> {
    const existing = await this.db.listCollections({}, { nameOnly: true }).toArray();
    const names = new Set(existing.map(({ name }) => name));
    for (const [collection, indexes] of Object.entries(layout)) {
      if (!names.has(collection)) await this.makeCollection(collection);
      await this.makeIndexes(collection, indexes);
    }
  }

  private async makeCollection(name: string): Promise<void> {
    this.signal.throwIfAborted();
    await ignoring(CODE.namespaceExists, this.db.createCollection(name));
    this.say(`collection ${name}: made`);
  }

  /** One at a time: progress names it, and a cut-off build loses only its own work. */
  private async makeIndexes(collection: string, indexes: readonly IndexSpec[]): Promise<void> {
    const existing = new Set((await this.db.collection(collection).indexes()).map(({ key }) => keyText(key)));
    for (const { key, ...options } of indexes) {
      this.signal.throwIfAborted();
      const text = keyText(key);
      const name = `index ${options.name ?? text} of ${collection}`;
      // one that exists goes to the store all the same: it refuses when the options differ
      await this.reporting(name, () => this.db.collection(collection).createIndex(key, options, {}));
      if (!existing.has(text)) this.say(`${name}: made`);
    }
  }

  private async reporting(what: string, work: () => Promise<unknown>): Promise<void> {
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
