import type { Socket } from 'node:net';
import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';
import { BSON } from 'bson';
import type { Document } from 'bson';
import type { AccessControl } from './access/access-control.ts';
import { readCommand } from './command.ts';
import type { Command, Reply } from './command.ts';
import { reads } from './commands/reads.ts';
import { schema } from './commands/schema.ts';
import { server as serverCommands } from './commands/server.ts';
import { writes } from './commands/writes.ts';
import { Connection } from './connection.ts';
import { Consistency, withTimes } from './consistency.ts';
import { ControlServer } from './control.ts';
import { Cursors } from './cursors.ts';
import { tellDuplicate } from './duplicates.ts';
import { MongoError, isWriteConflict, toErrorReply } from './errors.ts';
import { admit, labelled, survivesStepDown } from './member-rules.ts';
import { Database, createPool } from './postgres.ts';
import type { PostgresAddress } from './postgres.ts';
import type { Services } from './services.ts';
import { Statistics } from './statistics.ts';
import { FailPoints } from './fail-points.ts';
import { Latency } from './latency.ts';
import type { Delays } from './latency.ts';
import { checkCommand } from './strict/check-command.ts';
import { SchemaHistory } from './strict/schema-history.ts';
import { checkInTransaction } from './strict/transaction-rules.ts';
import { awaitHello, hello } from './topology/hello.ts';
import type { Member } from './topology/member.ts';
import { DEFAULT_SET, Topologies } from './topology/topologies.ts';
import type { Endpoint } from './topology/view.ts';
import { LENIENT, Transactions } from './transactions.ts';
import type { TransactionRules } from './transactions.ts';
import { Framer, readMessage, writeReply } from './wire.ts';
import type { Message } from './wire.ts';

const commands = new Map(Object.entries({ ...reads, ...writes, ...schema, ...serverCommands }));
// PostgreSQL allows 300. Two pools: were there one, transactions could hold all of it and all wait for a statement of
// their clients' outside of them.
const STATEMENT_CONNECTIONS = 100;
const TRANSACTION_CONNECTIONS = 130;
/** For members that are frozen: one for each snapshot, and the reads of it. */
const SNAPSHOT_CONNECTIONS = 40;
/** Sessions whose last write is remembered, for a driver that missed the answer and sends it again. */
const SESSIONS_REMEMBERED = 10_000;

interface RememberedWrite {
  readonly txnNumber: bigint;
  readonly reply: Promise<Reply>;
}

/** How much like a MongoDB that serves users the gateway behaves. */
export interface GatewayOptions extends TransactionRules, Delays {}

const CONVENIENT: GatewayOptions = { ...LENIENT, rttMs: 0, commitMs: 0 };

interface StartedTransaction {
  readonly member: Member;
  readonly txnNumber: bigint | null;
  /** the state of the schema that it sees */
  readonly beganAt: number;
}

/** Speaks MongoDB's wire protocol and has PostgreSQL with the DocumentDB extension do the work. */
export class Gateway {
  readonly #log: (line: string) => void;
  readonly #services: Services;
  readonly #latency: Latency;
  readonly #consistency: Consistency;
  readonly #topologies: Topologies;
  readonly #control: ControlServer;
  readonly #lastWrites = new LRUCache<string, RememberedWrite>({ max: SESSIONS_REMEMBERED });
  /** where the sessions' last transactions began */
  readonly #startedAt = new LRUCache<string, StartedTransaction>({ max: SESSIONS_REMEMBERED });
  readonly #schemaHistory = new SchemaHistory();
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #snapshots: Pool;
  #controlPort: number | null = null;
  #nextConnection = 1;

  /**
   * @param postgres where PostgreSQL listens
   * @param log gets a line for each command that failed
   * @param options strictness and latency; when left out, what is convenient for those who try the product
   * @param access who may do what; null lets everybody do everything
   */
  constructor(
    postgres: PostgresAddress,
    log: (line: string) => void = () => undefined,
    options: GatewayOptions = CONVENIENT,
    access: AccessControl | null = null,
  ) {
    this.#log = log;
    this.#latency = new Latency(options);
    const database = new Database(createPool(postgres, STATEMENT_CONNECTIONS, log));
    const transactions = new Transactions(createPool(postgres, TRANSACTION_CONNECTIONS, log), options);
    const snapshots = createPool(postgres, SNAPSHOT_CONNECTIONS, log);
    const failPoints = new FailPoints();
    const statistics = new Statistics();
    this.#services = { database, cursors: new Cursors(database), transactions, failPoints, statistics, access };
    this.#consistency = new Consistency(snapshots, this.#services.cursors, async ({ session, txnNumber }) => {
      if (session !== null) await transactions.abandon(session, txnNumber);
    });
    this.#topologies = new Topologies(snapshots, {
      accept: (socket, endpoint) => this.#accept(socket, endpoint),
      lostPrimary: (member) => this.#endTransactionsOf(member),
    });
    this.#control = new ControlServer(this.#topologies);
    this.#snapshots = snapshots;
  }

  /**
   * Starts to listen on 127.0.0.1.
   * @param port of the first member; 0 for any free one
   * @param members of the replica set
   * @returns the first member's port
   */
  async listen(port: number, members = 1): Promise<number> {
    const view = await this.#topologies.create(DEFAULT_SET, { persona: 'replica-set', members }, port);
    return Number(view.hosts[0]?.split(':')[1]);
  }

  /** Serves the control of the topology as well. @returns its port */
  async listenForControl(): Promise<number> {
    this.#controlPort = await this.#control.listen();
    return this.#controlPort;
  }

  /** Ends: commands under way are answered, open transactions rolled back, all connections closed. */
  async close(): Promise<void> {
    await Promise.race([
      Promise.allSettled(this.#underWay),
      new Promise((resolve) => setTimeout(resolve, 2_000).unref()),
    ]);
    await Promise.all([this.#topologies.close(), this.#control.close()]);
    await this.#services.transactions.close();
    await Promise.all([this.#services.database.pool.end(), this.#snapshots.end()]);
  }

  #accept(socket: Socket, endpoint: Endpoint): void {
    const connection = new Connection(this.#nextConnection++, socket, endpoint);
    const framer = new Framer();
    let last: Promise<void> = Promise.resolve();
    socket.on('error', () => undefined); // 'close' follows
    socket.on('close', () => connection.close());
    socket.on('data', (chunk) => {
      try {
        // one after another: a write that wants no answer must be done before what follows it
        for (const bytes of framer.push(chunk)) {
          const message = readMessage(bytes);
          last = last.then(() => this.#serve(connection, message));
        }
      } catch (error) {
        this.#log(`connection ${connection.id}: ${String(error)}`);
        socket.destroy();
      }
    });
  }

  async #serve(connection: Connection, message: Message): Promise<void> {
    if (connection.closed) return;
    if (await streamHello(connection, message)) return;
    const answer = this.#answer(connection, message);
    this.#underWay.add(answer);
    const reply = await answer;
    this.#underWay.delete(answer);
    if (message.unanswered || !connection.socket.writable) return;
    const bytes = writeReply(message, reply);
    this.#services.statistics.sent(bytes.length);
    connection.socket.write(bytes);
  }

  async #answer(connection: Connection, message: Message): Promise<Reply> {
    if (message.kind === 'handshake') return handshake(connection, message);
    let command: Command | null = null;
    try {
      checkCommand(message);
      command = readCommand(message, connection);
      this.#services.access?.check(command);
      admit(command);
      checkInTransaction(command);
      await this.#latency.beforeCommand(command);
      const addition = await this.#failPoint(command);
      const { member, view } = connection.endpoint;
      const running = this.#consistency.run(command, (admitted) => this.#runOnce(admitted));
      const reply = await view.set.interrupts.guard(member, survivesStepDown(command), running);
      await this.#latency.beforeAnswer(command);
      return 'writeConcernError' in addition ? { ...decoded(reply), ...addition } : reply;
    } catch (error) {
      const told = command ? await tellDuplicate(this.#services.database, command, error) : error;
      const reply = toErrorReply(labelled(told, command), command?.inTransaction ?? false);
      this.#log(`${command?.name ?? '?'}: ${String(reply['code'])} ${String(reply['errmsg'])}`);
      return withTimes({ connection }, reply);
    }
  }

  /** An injected error ends a transaction as any other does. */
  async #failPoint(command: Command): Promise<Document> {
    try {
      return await this.#services.failPoints.apply(command);
    } catch (error) {
      const { inTransaction, name, session, txnNumber } = command;
      const ends = inTransaction && name !== 'commitTransaction';
      if (ends && session !== null) await this.#services.transactions.abandon(session, txnNumber);
      throw error;
    }
  }

  /** A retryable write that comes again gets the first one's answer, also while that is still under way. */
  async #runOnce(command: Command): Promise<Reply> {
    const { session, txnNumber } = command;
    if (session === null || txnNumber === null || command.inTransaction) return this.#run(command);
    const last = this.#lastWrites.get(session);
    if (last?.txnNumber === txnNumber) return last.reply;
    const reply = this.#run(command);
    this.#lastWrites.set(session, { txnNumber, reply });
    try {
      return await reply;
    } catch (error) {
      this.#lastWrites.delete(session); // it had no effect: the driver may run it again
      throw error;
    }
  }

  async #run(command: Command): Promise<Reply> {
    if (command.name === 'standInControl' && this.#controlPort !== null) return { port: this.#controlPort, ok: 1 };
    const handler = commands.get(command.name);
    this.#services.statistics.ran(command.name);
    if (!handler) throw new MongoError(59, 'CommandNotFound', `no such command: '${command.name}'`);
    const finishes = command.name === 'commitTransaction' || command.name === 'abortTransaction';
    if (!command.inTransaction || finishes) {
      const reply = await handler(this.#services, command);
      this.#schemaHistory.note(command);
      return reply;
    }
    if (command.startTransaction && command.session !== null) {
      const { member } = command.connection.endpoint;
      const beganAt = this.#schemaHistory.now;
      this.#startedAt.set(command.session, { member, txnNumber: command.txnNumber, beganAt });
    }
    let joined = command;
    try {
      joined = await this.#services.transactions.join(command);
      this.#schemaHistory.check(joined, this.#startedAt.get(String(command.session))?.beganAt ?? 0);
      return await handler(this.#services, joined);
    } catch (thrown) {
      // while the transaction still tells what it sees
      const error = await tellDuplicate(this.#services.database, joined, thrown);
      if (isWriteConflict(error)) this.#services.transactions.noteConflict(command);
      // MongoDB ends a transaction at its first error
      if (command.session !== null) await this.#services.transactions.abandon(command.session, command.txnNumber);
      throw error;
    }
  }

  /** A member that is no primary any more has no open transactions. */
  async #endTransactionsOf(member: Member): Promise<void> {
    const begun = [...this.#startedAt.entries()].filter(([, started]) => started.member === member);
    await Promise.all(begun.map(([session, { txnNumber }]) => this.#services.transactions.abandon(session, txnNumber)));
  }
}

function decoded(reply: Reply): Document {
  return reply instanceof Uint8Array ? BSON.deserialize(reply, { promoteValues: false }) : reply;
}

function handshake(connection: Connection, message: Message): Reply {
  const command = BSON.deserialize(message.body);
  const name = Object.keys(command)[0]?.toLowerCase();
  if (name === 'ismaster' || name === 'hello') return withTimes({ connection }, hello(true, connection));
  return { ok: 0, errmsg: 'OP_QUERY is not supported', code: 352, codeName: 'UnsupportedOpQueryCommand' };
}

/**
 * Answers a monitor's `hello` when there is news, and if it allows so again each time.
 * @returns false for any other message
 */
async function streamHello(connection: Connection, message: Message): Promise<boolean> {
  if (message.kind === 'handshake' || !message.body.includes('topologyVersion')) return false;
  const command = BSON.deserialize(message.body);
  const name = Object.keys(command)[0]?.toLowerCase();
  if (name !== 'hello' && name !== 'ismaster') return false;
  let asked = command;
  do {
    const awaited = await awaitHello(asked, connection);
    if (connection.closed || !connection.socket.writable) return true;
    const reply = hello(name === 'ismaster', connection);
    const more = awaited && message.exhaustAllowed;
    connection.socket.write(writeReply(message, withTimes({ connection }, reply), more));
    asked = more ? { ...command, topologyVersion: reply['topologyVersion'] as unknown } : {};
  } while (asked['topologyVersion'] !== undefined);
  return true;
}
