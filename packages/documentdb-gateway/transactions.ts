import { LRUCache } from 'lru-cache';
import type { Pool, PoolClient } from 'pg';
import type { Command } from './command.ts';
import { Users } from './connection.ts';
import { COMMIT_UNKNOWN, MongoError, RETRYABLE_WRITE, TRANSIENT, WRITE_CONFLICT, isGone } from './errors.ts';
import { giveBack } from './postgres.ts';
import { beginAt } from './topology/snapshots.ts';
import { Turns } from './turns.ts';

/** Drivers send a commit again when they missed its answer; so many outcomes are kept for them. */
const OUTCOMES_KEPT = 10_000;

/** How transactions of a real mongod differ from what is convenient. */
export interface TransactionRules {
  /**
   * As MongoDB: a transaction outlives its connections and its driver's `endSessions`, and the second writer of a
   * document gets a conflict immediately. Otherwise it ends with its connections, and writers wait and take turns.
   */
  readonly strict: boolean;
  /** MongoDB's transactionLifetimeLimitSeconds, in milliseconds: checked every half of it. */
  readonly lifetimeMs: number;
}

export const LENIENT: TransactionRules = { strict: false, lifetimeMs: 60_000 };

// A write conflict is an error (to be retried), as in MongoDB, not a wait that holds the driver's connections.
// PostgreSQL knows no lock time-out below 1 ms. The transaction's id tells later whether a commit whose answer got lost
// took place.
const atBegin = (lockTimeout: string): string =>
  `SET LOCAL lock_timeout = '${lockTimeout}'; SELECT pg_current_xact_id()::text AS xid, pg_current_snapshot()::text AS sees`;
const AT_BEGIN = atBegin('10ms');
const AT_BEGIN_STRICT = atBegin('1ms');

interface Begun {
  readonly client: PoolClient;
  readonly xid: string;
  /** PostgreSQL's text of what the transaction sees. */
  readonly sees: string;
}

interface Open extends Begun {
  readonly txnNumber: bigint | null;
  readonly users: Users;
  readonly giveTurn: (() => void) | null;
  readonly beganAtMs: number;
}

interface Outcome {
  readonly txnNumber: bigint | null;
  readonly xid: string;
  readonly state: 'committed' | 'aborted' | 'unknown';
}

/** The transactions of all sessions: a session has one at a time, an open one holds a PostgreSQL connection. */
export class Transactions {
  readonly #pool: Pool;
  readonly #open = new Map<string, Open>();
  readonly #outcomes = new LRUCache<string, Outcome>({ max: OUTCOMES_KEPT });
  readonly #turns = new Turns();
  /** sessions whose last transaction met a write conflict, and on which collection */
  readonly #contended = new LRUCache<string, string>({ max: OUTCOMES_KEPT });

  readonly #rules: TransactionRules;
  readonly #sweep: NodeJS.Timeout;

  constructor(pool: Pool, rules: TransactionRules = LENIENT) {
    this.#pool = pool;
    this.#rules = rules;
    this.#sweep = setInterval(() => void this.#abandonExpired(), rules.lifetimeMs / 2).unref();
  }

  /** Whether transactions go on without the connections that they were used on. */
  get outliveConnections(): boolean {
    return this.#rules.strict;
  }

  /**
   * Finds or starts the transaction that a command belongs to.
   * @param command a command with `autocommit: false`, not commit or abort
   * @returns the command with its transaction's connection
   * @throws MongoError NoSuchTransaction, which makes drivers start anew
   */
  async join(command: Command): Promise<Command> {
    if (command.session === null) throw new MongoError(72, 'InvalidOptions', 'a transaction needs a session');
    if (command.startTransaction) await this.#begin(command.session, command);
    const open = this.#open.get(command.session);
    if (!open || open.txnNumber !== command.txnNumber) throw noSuchTransaction();
    if (!this.#rules.strict) open.users.add(command.connection);
    return { ...command, client: open.client, sees: this.#rules.strict ? open.sees : null };
  }

  async #begin(session: string, command: Command): Promise<void> {
    const { txnNumber, connection } = command;
    const last = this.#open.get(session)?.txnNumber ?? this.#outcomes.get(session)?.txnNumber ?? null;
    if (this.#rules.strict && last !== null && txnNumber !== null && txnNumber < last) throw transactionTooOld();
    await this.abandon(session);
    const giveTurn = await this.#turnFor(session);
    try {
      const begun = await this.#connect(command.snapshot);
      const users = new Users(() => void this.abandon(session, txnNumber));
      this.#open.set(session, { ...begun, txnNumber, users, giveTurn, beganAtMs: performance.now() });
      if (!this.#rules.strict) users.add(connection); // ends it at once if the client has gone meanwhile
    } catch (error) {
      giveTurn?.();
      throw error;
    }
  }

  async #connect(snapshot: string | null): Promise<Begun> {
    const client = await this.#pool.connect();
    try {
      const text = `${beginAt(snapshot)}; ${this.#rules.strict ? AT_BEGIN_STRICT : AT_BEGIN}`;
      // several statements in one string answer an array, which pg's types do not know
      const results = (await client.query(text)) as unknown as { rows: { xid: string; sees: string }[] }[];
      return { client, xid: '', sees: '', ...results.at(-1)?.rows[0] };
    } catch (error) {
      giveBack(client, true);
      throw error;
    }
  }

  /** The turn of a session whose last transaction met a conflict; null if it needs none. */
  async #turnFor(session: string): Promise<(() => void) | null> {
    const contended = this.#contended.get(session);
    if (contended === undefined) return null;
    const giveTurn = await this.#turns.take(contended);
    if (!giveTurn) throw new MongoError(WRITE_CONFLICT, 'WriteConflict', 'others are at it', [TRANSIENT]);
    this.#contended.delete(session);
    return giveTurn;
  }

  /** Notes that a command's transaction met a write conflict: when it comes again it has to wait for its turn. */
  noteConflict(command: Command): void {
    if (this.#rules.strict) return;
    if (command.session !== null) this.#contended.set(command.session, `${command.db}.${String(command.target)}`);
  }

  /**
   * Rolls a session's transaction back, if it has one open: after an error, at the client's word or at its end.
   * @param session the session's id
   * @param txnNumber only this transaction
   */
  async abandon(session: string, txnNumber?: bigint | null): Promise<void> {
    const open = this.#open.get(session);
    if (!open || (txnNumber !== undefined && open.txnNumber !== txnNumber)) return;
    this.#close(session, open, 'aborted');
    await open.client.query('ROLLBACK').then(
      () => release(open, false),
      () => release(open, true),
    );
  }

  /** As MongoDB's periodic job: those that began longer ago than a transaction may live. */
  async #abandonExpired(): Promise<void> {
    const limitMs = performance.now() - this.#rules.lifetimeMs;
    const expired = [...this.#open].filter(([, { beganAtMs }]) => beganAtMs <= limitMs);
    await Promise.all(expired.map(([session, { txnNumber }]) => this.abandon(session, txnNumber)));
  }

  /** Rolls back all of them. */
  async abandonAll(): Promise<void> {
    await Promise.all([...this.#open.keys()].map((session) => this.abandon(session)));
  }

  /** Rolls back all of them and closes their connections; new ones fail. */
  async close(): Promise<void> {
    clearInterval(this.#sweep);
    await this.abandonAll();
    await this.#pool.end();
  }

  /**
   * `abortTransaction`.
   * @throws MongoError NoSuchTransaction if it is not open
   */
  async abort(command: Command): Promise<void> {
    const open = command.session === null ? undefined : this.#open.get(command.session);
    if (!open || open.txnNumber !== command.txnNumber || command.session === null) throw noSuchTransaction();
    await this.abandon(command.session);
  }

  /**
   * `commitTransaction`; asked again, it answers what became of the first.
   * @throws MongoError NoSuchTransaction if it was not committed, which makes drivers start anew;
   *   InterruptedAtShutdown if that is not known, which makes them ask again
   */
  async commit(command: Command): Promise<void> {
    if (command.session === null) throw noSuchTransaction();
    const open = this.#open.get(command.session);
    if (!open || open.txnNumber !== command.txnNumber) return this.#commitAgain(command.session, command);
    this.#close(command.session, open, 'unknown');
    try {
      const { command: done } = await open.client.query('COMMIT');
      release(open, false);
      this.#settle(command.session, open, done === 'COMMIT' ? 'committed' : 'aborted');
      if (done !== 'COMMIT') throw noSuchTransaction();
    } catch (error) {
      if (error instanceof MongoError) throw error;
      release(open, true);
      if (!isGone(error)) this.#settle(command.session, open, 'aborted');
      else throw commitUnknown(error);
      throw error;
    }
  }

  async #commitAgain(session: string, command: Command): Promise<void> {
    const outcome = this.#outcomes.get(session);
    if (!outcome || outcome.txnNumber !== command.txnNumber || outcome.state === 'aborted') throw noSuchTransaction();
    if (outcome.state === 'committed') return;
    const { rows } = await this.#pool
      .query<{ status: string | null }>('SELECT pg_xact_status($1::xid8) AS status', [outcome.xid])
      .catch((error: unknown) => {
        throw commitUnknown(error);
      });
    const status = rows[0]?.status;
    if (status === 'in progress') throw commitUnknown(new Error('the commit is still under way'));
    this.#settle(session, outcome, status === 'committed' ? 'committed' : 'aborted');
    if (status !== 'committed') throw noSuchTransaction();
  }

  #close(session: string, open: Open, state: Outcome['state']): void {
    this.#open.delete(session);
    open.users.clear();
    this.#settle(session, open, state);
  }

  #settle(session: string, { txnNumber, xid }: Pick<Outcome, 'txnNumber' | 'xid'>, state: Outcome['state']): void {
    this.#outcomes.set(session, { txnNumber, xid, state });
  }
}

function release(open: Open, broken: boolean): void {
  giveBack(open.client, broken);
  open.giveTurn?.();
}

function noSuchTransaction(): MongoError {
  return new MongoError(251, 'NoSuchTransaction', 'the transaction is not open', [TRANSIENT]);
}

function transactionTooOld(): MongoError {
  return new MongoError(225, 'TransactionTooOld', 'a newer transaction was started in this session');
}

function commitUnknown(error: unknown): MongoError {
  const message = error instanceof Error ? error.message : String(error);
  return new MongoError(11600, 'InterruptedAtShutdown', message, [COMMIT_UNKNOWN, RETRYABLE_WRITE]);
}
