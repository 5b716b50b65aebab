import { once } from 'node:events';
import { connect } from 'node:net';

const CONNECT_LIMIT_MS = 1_000;

/**
 * Finds out that a port is taken before anything else is done, in a sentence. It asks for a connection rather than
 * listens for a moment: a proxy that knows this address could connect in that moment, and its request would be lost.
 * What this does not see, such as an address of another machine, `listen` reports later.
 *
 * @throws Error that says what to do when the port is taken
 */
export async function checkPort(port: number, host: string): Promise<void> {
  if (port === 0) return;
  const probe = connect({ port, host });
  try {
    await once(probe, 'connect', { signal: AbortSignal.timeout(CONNECT_LIMIT_MS) });
    // TCP connects a socket to itself where the system chose this very port for it, so no one listens
    if (probe.localPort === port) return;
  } catch {
    return;
  } finally {
    probe.destroy();
  }
  throw new Error(inUse(port, host));
}

function inUse(port: number, host: string): string {
  return `Port ${port} of ${host} is in use. Choose another one, for example: PORT=3378 npm start`;
}

/** The error in a sentence where the port is taken, otherwise the error itself. */
export function portFault(error: unknown, port: number, host: string): unknown {
  if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) return error;
  return new Error(inUse(port, host), { cause: error });
}
