import type { Socket } from 'node:net';
import type { Endpoint } from './topology/view.ts';

/** A client's connection, and what has to end with it. */
export class Connection {
  readonly id: number;
  readonly socket: Socket;
  /** the member that it leads to, and how */
  readonly endpoint: Endpoint;
  #closed = false;
  #onClose = new Set<() => void>();

  constructor(id: number, socket: Socket, endpoint: Endpoint) {
    this.id = id;
    this.socket = socket;
    this.endpoint = endpoint;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Calls back when the connection closes, at once if it has.
   * @param callback called once
   * @returns takes the callback back
   */
  whenClosed(callback: () => void): () => void {
    if (this.#closed) callback();
    else this.#onClose.add(callback);
    return () => this.#onClose.delete(callback);
  }

  /** Says that the connection is closed. */
  close(): void {
    this.#closed = true;
    const callbacks = [...this.#onClose];
    this.#onClose.clear();
    for (const callback of callbacks) callback();
  }
}

/**
 * The connections that something (a transaction, a cursor) was used on. A driver may send each command of a session
 * on another connection of its pool, so it is over only when the last of them has closed.
 */
export class Users {
  #open = new Map<Connection, () => void>();
  readonly #onAbandoned: () => void;

  /** @param onAbandoned called when the last connection has closed */
  constructor(onAbandoned: () => void) {
    this.#onAbandoned = onAbandoned;
  }

  /** Notes one more user. */
  add(connection: Connection): void {
    if (this.#open.has(connection)) return;
    this.#open.set(connection, () => undefined);
    const forget = connection.whenClosed(() => {
      this.#open.delete(connection);
      if (this.#open.size === 0) this.#onAbandoned();
    });
    if (!connection.closed) this.#open.set(connection, forget);
  }

  /** Ends the watch: it is over by itself. */
  clear(): void {
    for (const forget of this.#open.values()) forget();
    this.#open.clear();
  }
}
