import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * The open connections of a server, and whether a request is under way on each. Node's own `closeIdleConnections` leaves
 * out those that never sent a request or sent only a part of its head, and those that become idle after it.
 */
export class Connections {
  /** How many requests each has that were read as far as the end of their head, and are not answered. */
  private readonly underWay = new Map<Socket, number>();
  private closing = false;

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      this.underWay.set(socket, 0);
      socket.once('close', () => this.underWay.delete(socket));
    });
    server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      this.count(socket, 1);
      response.once('close', () => this.count(socket, -1));
    });
  }

  /** Closes those that never sent a byte. */
  closeSilent(): void {
    for (const socket of this.underWay.keys()) if (socket.bytesRead === 0) socket.destroySoon();
  }

  /** Closes those without a request under way; each of the others, when its requests are answered. */
  closeUnused(): void {
    this.closing = true;
    for (const [socket, requests] of this.underWay) if (requests === 0) socket.destroySoon();
  }

  private count(socket: Socket, change: 1 | -1): void {
    const requests = this.underWay.get(socket);
    if (requests === undefined) return;
    this.underWay.set(socket, requests + change);
    if (this.closing && requests + change === 0) socket.destroySoon();
  }
}
