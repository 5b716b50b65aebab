import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { LRUCache } from 'lru-cache';
import { BSON } from 'bson';
import { readCommand } from './command.ts';
import type { Command, Reply } from './command.ts';
import { reads } from './commands/reads.ts';
import { schema } from './commands/schema.ts';
import { hello, server as serverCommands } from './commands/server.ts';
import { writes } from './commands/writes.ts';
import { Connection } from './connection.ts';
import { Cursors } from './cursors.ts';
import { tellDuplicate } from './duplicates.ts';
import { MongoError, isWriteConflict, toErrorReply } from './errors.ts';
import { Database, createPool } from './postgres.ts';
import type { PostgresAddress } from './postgres.ts';
import type { Services } from './services.ts';
import { Transactions } from './transactions.ts';
import { Framer, readMessage, writeReply } from './wire.ts';
import type { Message } from './wire.ts';

const commands = new Map(Object.entries({ ...reads, ...writes, ...schema, ...serverCommands }));
// PostgreSQL allows 300. Two pools: were there one, transactions could hold all of it and all wait for a statement of
// their clients' outside of them.
const STATEMENT_CONNECTIONS = 100;
const TRANSACTION_CONNECTIONS = 150;
/** Sessions whose last write is remembered, for a driver that missed the answer and sends it again. */
const WRITES_REMEMBERED = 10_000;

interface RememberedWrite {
  readonly txnNumber: bigint;
  readonly reply: Promise<Reply>;
}

/** Speaks MongoDB's wire protocol and has PostgreSQL with the DocumentDB extension do the work. */
export class Gateway {
  readonly #log: (line: string) => void;
  readonly #services: Services;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #lastWrites = new LRUCache<string, RememberedWrite>({ max: WRITES_REMEMBERED });
  readonly #underWay = new Set<Promise<unknown>>();
  #nextConnection = 1;

  /**
   * @param postgres where PostgreSQL listens
   * @param log gets a line for each command that failed
   */
  constructor(postgres: PostgresAddress, log: (line: string) => void = () => undefined) {
    this.#log = log;
    const database = new Database(createPool(postgres, STATEMENT_CONNECTIONS, log));
    const transactions = new Transactions(createPool(postgres, TRANSACTION_CONNECTIONS, log));
    this.#services = { database, cursors: new Cursors(database), transactions };
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  /**
   * Starts to listen on 127.0.0.1.
   * @param port 0 for any free one
   * @returns the port
   */
  async listen(port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', resolve);
    });
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends: commands under way are answered, open transactions rolled back, all connections closed. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    await Promise.race([
      Promise.allSettled(this.#underWay),
      new Promise((resolve) => setTimeout(resolve, 2_000).unref()),
    ]);
    for (const socket of this.#sockets) socket.destroySoon();
    await this.#services.transactions.close();
    await this.#services.database.pool.end();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #accept(socket: Socket): void {
    const connection = new Connection(this.#nextConnection++, socket);
    const framer = new Framer();
    let last: Promise<void> = Promise.resolve();
    this.#sockets.add(socket);
    socket.on('error', () => undefined); // 'close' follows
    socket.on('close', () => {
      this.#sockets.delete(socket);
      connection.close();
    });
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
    const answer = this.#answer(connection, message);
    this.#underWay.add(answer);
    const reply = await answer;
    this.#underWay.delete(answer);
    if (!message.unanswered && connection.socket.writable) connection.socket.write(writeReply(message, reply));
  }

  async #answer(connection: Connection, message: Message): Promise<Reply> {
    if (message.kind === 'handshake') return handshake(connection, message);
    let command: Command | null = null;
    try {
      command = readCommand(message, connection);
      return await this.#runOnce(command);
    } catch (error) {
      const told = command ? await tellDuplicate(this.#services.database, command, error) : error;
      const reply = toErrorReply(told, command?.inTransaction ?? false);
      this.#log(`${command?.name ?? '?'}: ${String(reply['code'])} ${String(reply['errmsg'])}`);
      return reply;
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
    const handler = commands.get(command.name);
    if (!handler) throw new MongoError(59, 'CommandNotFound', `no such command: '${command.name}'`);
    const finishes = command.name === 'commitTransaction' || command.name === 'abortTransaction';
    if (!command.inTransaction || finishes) return handler(this.#services, command);
    try {
      return await handler(this.#services, await this.#services.transactions.join(command));
    } catch (error) {
      if (isWriteConflict(error)) this.#services.transactions.noteConflict(command);
      // MongoDB ends a transaction at its first error
      if (command.session !== null) await this.#services.transactions.abandon(command.session, command.txnNumber);
      throw error;
    }
  }
}

function handshake(connection: Connection, message: Message): Reply {
  const command = BSON.deserialize(message.body);
  const name = Object.keys(command)[0]?.toLowerCase();
  if (name === 'ismaster' || name === 'hello') return hello(true, connection.id);
  return { ok: 0, errmsg: 'OP_QUERY is not supported', code: 352, codeName: 'UnsupportedOpQueryCommand' };
}
