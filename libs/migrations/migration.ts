/** An index to create. Without a name it gets MongoDB's default name (`chain_1_seq_1`). */
export interface IndexSpec {
  readonly key: Readonly<Record<string, 1 | -1>>;
  readonly name?: string;
  readonly unique?: boolean;
  readonly expireAfterSeconds?: number;
}

/** Collections by name, each with its indexes except the one on `_id`. */
export type Layout = Readonly<Record<string, readonly IndexSpec[]>>;

/** The operations that a migration can use. */
export interface Steps {
  /** Creates the collections and indexes that do not exist yet. */
  createLayout(layout: Layout): Promise<void>;
}

/** One numbered change to the database. If it is interrupted, it runs again from its start. */
export interface Migration {
  readonly number: number;
  /** A short name for progress and the record, such as `first-collections`. */
  readonly name: string;
  run(steps: Steps): Promise<void>;
}

/** A permanent fault of a migration. The message says what to do. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}
