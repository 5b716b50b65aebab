import pg from 'pg';
import type { Pool, PoolClient } from 'pg';
import type { Command } from './command.ts';
import { isConflict } from './errors.ts';

/** A row as the gateway reads it: BSON as bytes, all else as PostgreSQL's text. */
export type Row = Record<string, string | Buffer | null>;

/** SQL type of a document. */
export const BSON_TYPE = 'documentdb_core.bson';
const BSON_PREFIX = 'BSONHEX';
const WAIT_FOR_CONNECTION_MS = 20_000;
const MAX_ATTEMPTS = 50;

// node-postgres decodes every column as UTF-8 whatever its format: so BSON is fetched in its hex text form
const types = {
  getTypeParser:
    () =>
    (value: string): string | Buffer =>
      value.startsWith(BSON_PREFIX) ? Buffer.from(value.slice(BSON_PREFIX.length), 'hex') : value,
};

const settings = [
  'search_path=documentdb_api_catalog,documentdb_api,public',
  // long after the gateway itself has ended a transaction of that age
  'idle_in_transaction_session_timeout=120000',
  // a cursor's rest lies in a file, not in a connection that it would hold
  'documentdb.useFileBasedPersistedCursors=on',
  // as MongoDB's cursorTimeoutMillis
  'documentdb.defaultCursorExpiryTimeLimitSeconds=600',
  // no attempt to compile what a test runs a few times
  'jit=off',
];

/** Where PostgreSQL listens. */
export interface PostgresAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Opens the pool of connections to PostgreSQL.
 * @param address host and port; the user and database are `postgres`
 * @param max above this, commands wait for a free connection
 * @param log gets one line for each connection that broke
 */
export function createPool(address: PostgresAddress, max: number, log: (line: string) => void): Pool {
  const pool = new pg.Pool({
    ...address,
    user: 'postgres',
    database: 'postgres',
    types,
    max,
    min: 2,
    idleTimeoutMillis: 30_000,
    connectionTimeoutMillis: WAIT_FOR_CONNECTION_MS,
    options: settings.map((setting) => `-c ${setting}`).join(' '),
  });
  pool.on('error', (error) => log(`pool: ${error.message}`));
  // a connection that PostgreSQL ends while a transaction holds it must not end the gateway
  pool.on('connect', (client) => client.on('error', (error: Error) => log(`connection: ${error.message}`)));
  return pool;
}

/** A statement; its name is the same on each connection, so that PostgreSQL parses it once for each. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** Runs statements for commands: in their transaction, or by themselves on any connection. */
export class Database {
  readonly pool: Pool;

  constructor(pool: Pool) {
    this.pool = pool;
  }

  /**
   * Runs a statement.
   * @param command says in which transaction
   * @param statement what to run
   * @param values its parameters
   * @returns the rows
   * @throws pg's DatabaseError. Outside of a transaction a write conflict is tried again, as MongoDB itself does
   */
  async rows(command: Pick<Command, 'client'>, statement: Statement, values: unknown[]): Promise<Row[]> {
    if (command.client) return (await command.client.query<Row>({ ...statement, values })).rows;
    for (let attempt = 1; ; attempt++) {
      try {
        return (await this.pool.query<Row>({ ...statement, values })).rows;
      } catch (error) {
        if (!isConflict(error) || attempt === MAX_ATTEMPTS) throw error;
        await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(2 * attempt, 30)));
      }
    }
  }

  /** As `rows`, for a statement that answers exactly one row. */
  async row(command: Pick<Command, 'client'>, statement: Statement, values: unknown[]): Promise<Row> {
    const [row] = await this.rows(command, statement, values);
    if (!row) throw new Error(`${statement.name} answered no row`);
    return row;
  }
}

/** Gives a transaction's connection back, or drops it when it may not be clean. */
export function giveBack(client: PoolClient, broken: boolean): void {
  client.release(broken);
}

/** The BSON in a column. */
export function bsonOf(row: Row, column: string): Buffer {
  const value = row[column];
  if (!Buffer.isBuffer(value)) throw new Error(`no document in column ${column}`);
  return value;
}
