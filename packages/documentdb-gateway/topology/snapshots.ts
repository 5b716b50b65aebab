import type { Pool, PoolClient } from 'pg';

/** A state of the database that is kept readable: PostgreSQL's exported snapshot, held by an open transaction. */
export class Snapshot {
  /** PostgreSQL's name of it */
  readonly name: string;
  readonly #holder: PoolClient;
  readonly #reads = new Set<Promise<unknown>>();

  private constructor(name: string, holder: PoolClient) {
    this.name = name;
    this.#holder = holder;
  }

  /** Takes one of the present state. It holds one of the pool's connections until it is released. */
  static async take(pool: Pool): Promise<Snapshot> {
    const holder = await pool.connect();
    try {
      await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL idle_in_transaction_session_timeout = 0');
      const { rows } = await holder.query<{ name: string }>('SELECT pg_export_snapshot() AS name');
      return new Snapshot(rows[0]?.name ?? '', holder);
    } catch (error) {
      holder.release(true);
      throw error;
    }
  }

  /** Runs a read in this state. */
  async read<T>(pool: Pool, read: (client: PoolClient) => Promise<T>): Promise<T> {
    const reading = this.#read(pool, read);
    this.#reads.add(reading);
    return reading.finally(() => this.#reads.delete(reading));
  }

  /** Forgets the state when the reads under way have ended. */
  async release(): Promise<void> {
    await Promise.allSettled(this.#reads);
    await this.#holder.query('ROLLBACK').then(
      () => this.#holder.release(false),
      () => this.#holder.release(true),
    );
  }

  async #read<T>(pool: Pool, read: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await pool.connect();
    try {
      await client.query(beginAt(this.name));
      const result = await read(client);
      await client.query('COMMIT');
      client.release(false);
      return result;
    } catch (error) {
      client.release(true);
      throw error;
    }
  }
}

/** The statements that begin a transaction in the present state, or in that of a snapshot. */
export function beginAt(snapshot: string | null): string {
  const begin = 'BEGIN ISOLATION LEVEL REPEATABLE READ';
  return snapshot === null ? begin : `${begin}; SET TRANSACTION SNAPSHOT '${snapshot}'`;
}
