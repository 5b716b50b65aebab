/** An index as a migration makes it. Without a name it gets MongoDB's own (`chain_1_seq_1`). */
export interface IndexSpec {
  readonly key: Readonly<Record<string, 1 | -1>>;
  readonly name?: string;
  readonly unique?: boolean;
  readonly expireAfterSeconds?: number;
}

/** Collections by name, each with its indexes beside the one on `_id`. */
export type Layout = Readonly<Record<string, readonly IndexSpec[]>>;

/** What a migration can do to the database. */
export interface Steps {
  /** Makes those of the collections and indexes that do not exist yet. */
  make(layout: Layout): Promise<void>;
}

/** One numbered change to the database. It may be cut off anywhere, and is then run again from its start. */
export interface Migration {
  readonly number: number;
  /** What it does, for progress and the record: `first-collections`. */
  readonly name: string;
  run(steps: Steps): Promise<void>;
}

/** A migration cannot go on, and waiting does not help. The message says what to do. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}
