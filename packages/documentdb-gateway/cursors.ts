import { LRUCache } from 'lru-cache';
import type { Command } from './command.ts';
import { Users } from './connection.ts';
import type { Connection } from './connection.ts';
import type { Database } from './postgres.ts';

const MAX_CURSORS = 10_000;
/** As MongoDB's cursorTimeoutMillis. */
const IDLE_MS = 600_000;

interface Cursor {
  readonly db: string;
  /** where the extension goes on; new with each page */
  continuation: Buffer;
  readonly users: Users;
  /** whether it reads what a majority has */
  readonly majority: boolean;
}

/** The cursors that clients have not read to their end. What they have still to give lies in files of PostgreSQL's. */
export class Cursors {
  readonly #database: Database;
  readonly #cursors: LRUCache<string, Cursor>;

  constructor(database: Database) {
    this.#database = database;
    this.#cursors = new LRUCache<string, Cursor>({
      max: MAX_CURSORS,
      ttl: IDLE_MS,
      updateAgeOnGet: true,
      dispose: (cursor, _id, reason) => {
        if (reason !== 'set') cursor.users.clear();
      },
    });
  }

  /** Keeps a cursor; it ends with the last connection that used it. */
  open(id: string, command: Pick<Command, 'db' | 'connection' | 'options'>, continuation: Buffer): void {
    const users = new Users(() => void this.close([id]));
    const level: unknown = command.options.readConcern?.['level'];
    this.#cursors.set(id, {
      db: command.db,
      continuation,
      users,
      majority: level === 'majority' || level === 'snapshot',
    });
    users.add(command.connection);
  }

  /** Whether the cursor reads what a majority has; false also when there is no such cursor. */
  readsMajority(id: string): boolean {
    return this.#cursors.peek(id)?.majority ?? false;
  }

  /** The cursor of this id, or undefined; notes that the connection uses it. */
  use(id: string, connection: Connection): Cursor | undefined {
    const cursor = this.#cursors.get(id);
    cursor?.users.add(connection);
    return cursor;
  }

  /**
   * Ends cursors and deletes what they left with PostgreSQL.
   * @param ids cursor ids, decimal
   * @returns those of them that were open
   */
  async close(ids: string[]): Promise<string[]> {
    const open = ids.filter((id) => this.#cursors.delete(id));
    if (open.length > 0) {
      const statement = { name: 'cursors_delete', text: 'SELECT documentdb_api_internal.delete_cursors($1::bigint[])' };
      // if that fails the extension's own job deletes the files later
      await this.#database.rows({ client: null }, statement, [open]).catch(() => undefined);
    }
    return open;
  }

  /** Forgets a cursor that was read to its end. */
  finish(id: string): void {
    this.#cursors.delete(id);
  }
}
