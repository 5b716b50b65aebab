import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Tracks the open connections of a server and their pending answers, so that a shutdown can close each of them at a
 * time when no request is lost. Node's `closeIdleConnections` skips connections that sent no complete request, and
 * those that become idle later.
 */
export class Connections {
  /** The pending answers of each connection, from the end of the request head. */
  private readonly pending = new Map<Socket, Set<ServerResponse>>();
  private leaving = false;
  private closing = false;

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      this.pending.set(socket, new Set());
      socket.once('close', () => this.pending.delete(socket));
    });
    // first of all listeners: another may answer at once
    server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      const answers = this.pending.get(socket);
      if (answers === undefined) return;
      answers.add(response);
      if (this.leaving) askToClose(response);
      response.once('close', () => {
        answers.delete(response);
        if (this.closing && answers.size === 0) socket.destroySoon();
      });
    });
  }

  /**
   * From now on each answer asks its client to close the connection (RFC 9112 9.6), also the answer of a request that
   * arrived before. Otherwise a proxy would send its next request on a connection that is about to be closed.
   */
  leave(): void {
    this.leaving = true;
    for (const answers of this.pending.values()) for (const response of answers) askToClose(response);
  }

  /** Closes connections that never sent a byte. */
  closeSilent(): void {
    for (const socket of this.pending.keys()) if (socket.bytesRead === 0) socket.destroySoon();
  }

  /** Closes idle connections now, and each of the others once its requests are answered. */
  closeWhenIdle(): void {
    this.closing = true;
    for (const [socket, answers] of this.pending) if (answers.size === 0) socket.destroySoon();
  }
}

function askToClose(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close');
}
