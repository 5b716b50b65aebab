import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Finds out that a port is taken before anything else is done, in a sentence.
 *
 * @throws Error that says what to do when the port is taken
 */
export async function checkPort(port: number, host: string): Promise<void> {
  if (port === 0) return;
  const probe = createServer();
  try {
    await once(probe.listen({ port, host }), 'listening');
  } catch (error) {
    throw portFault(error, port, host);
  } finally {
    await new Promise((resolve) => probe.close(resolve));
  }
}

/** The error in a sentence where the port is taken, otherwise the error itself. */
export function portFault(error: unknown, port: number, host: string): unknown {
  if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) return error;
  return new Error(`Port ${port} of ${host} is in use. Choose another one, for example: PORT=3378 npm start`, {
    cause: error,
  });
}
