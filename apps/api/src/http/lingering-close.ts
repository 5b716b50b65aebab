import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** What is read and discarded after an answer. A body of ten megabytes, twenty times the limit, still gets its 413. */
const MAX_DISCARDED_BYTES = 16 * 1024 * 1024;
const MAX_DISCARDING_MS = 5_000;
const CHECK_INTERVAL_MS = 50;
/** A longer body may still be arriving when its request has been refused. */
const SHORT_BODY_BYTES = 64 * 1024;

/**
 * Lets a client that is still sending read its answer. Closing a socket with unread bytes resets the connection, and
 * the reset can overtake the answer (RFC 9112 9.6). So the rest of the body is discarded first, within limits.
 */
export function lingerOnClose(server: Server): void {
  const latest = new WeakMap<Socket, IncomingMessage>();
  server.on('connection', (socket: Socket) => {
    const destroySoon = socket.destroySoon.bind(socket);
    // Node calls it after the last answer
    socket.destroySoon = () => {
      const request = latest.get(socket);
      if (request === undefined || request.complete || socket.destroyed) {
        destroySoon();
        return;
      }
      socket.end();
      discardRest(request, destroySoon);
    };
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    latest.set(request.socket, request);
    if (!mayBeLong(request)) return;
    response.once('finish', () => {
      if (!request.complete) discardRest(request, () => undefined);
    });
  });
}

function mayBeLong({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > SHORT_BODY_BYTES;
}

/** Discards the rest of a request; closes the socket beyond the limits. @param done called when all of it was read */
function discardRest(request: IncomingMessage, done: () => void): void {
  const { socket } = request;
  const maxBytesRead = socket.bytesRead + MAX_DISCARDED_BYTES;
  const untilMs = performance.now() + MAX_DISCARDING_MS;
  request.resume();
  const timer = setInterval(() => {
    if (request.complete || socket.destroyed) done();
    else if (socket.bytesRead > maxBytesRead || performance.now() > untilMs) socket.destroy();
    else return;
    clearInterval(timer);
  }, CHECK_INTERVAL_MS);
}
