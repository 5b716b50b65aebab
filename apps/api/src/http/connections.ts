import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Tracks the open connections of a server and their pending requests. Node's `closeIdleConnections` skips connections
 * that sent no complete request, and those that become idle later.
 */
export class Connections {
  /** The number of pending requests of each connection, counted from the end of the request head. */
  private readonly pending = new Map<Socket, number>();
  private closing = false;

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      this.pending.set(socket, 0);
      socket.once('close', () => this.pending.delete(socket));
    });
    server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      this.count(socket, 1);
      response.once('close', () => this.count(socket, -1));
    });
  }

  /** Closes connections that never sent a byte. */
  closeSilent(): void {
    for (const socket of this.pending.keys()) if (socket.bytesRead === 0) socket.destroySoon();
  }

  /** Closes idle connections now, and each of the others once its requests are answered. */
  closeWhenIdle(): void {
    this.closing = true;
    for (const [socket, requests] of this.pending) if (requests === 0) socket.destroySoon();
  }

  private count(socket: Socket, change: 1 | -1): void {
    const requests = this.pending.get(socket);
    if (requests === undefined) return;
    this.pending.set(socket, requests + change);
    if (this.closing && requests + change === 0) socket.destroySoon();
  }
}
