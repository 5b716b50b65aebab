import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Half of what nginx waits between two writes (`send_timeout`). */
const STALL_LIMIT_MS = 30_000;

/**
 * Closes connections whose caller takes nothing of an answer for this long. Otherwise the answer stays in memory, and
 * an export counts towards its limits, until the caller goes away. A slow answer is not affected: nothing of it waits.
 */
export function closeStalledAnswers(server: Server, limitMs = STALL_LIMIT_MS): void {
  server.setTimeout(limitMs);
  server.on('request', (_request: IncomingMessage, response: ServerResponse) => {
    // with a listener, Node leaves the connection open while the answer is being made
    response.on('timeout', closeIfStalled);
  });
}

// Node restarts the timer whenever the caller takes something, also in the middle of a write
function closeIfStalled(socket: Socket): void {
  if (socket.writableLength > 0) socket.destroy();
}
