import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

/** A TCP port of 127.0.0.1 that is free now; another process may still take it first. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Whether a process listens on a port. Port 0 is always free. */
export async function isTaken(port: number, host: string): Promise<boolean> {
  const probe = connect({ port, host });
  return new Promise<boolean>((resolve) => {
    // a socket can be connected to itself
    probe.once('connect', () => resolve(probe.localPort !== port)).once('error', () => resolve(false));
  }).finally(() => probe.destroy());
}
/**
 * Sends bytes to 127.0.0.1 and returns the first that come back, as text.
 * @throws the socket's error, or one after two seconds
 */
export async function ask(port: number, question: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    return await new Promise<string>((resolve, reject) => {
      socket.setTimeout(2_000, () => reject(new Error('no answer')));
      socket.once('error', reject);
      socket.once('data', (data) => resolve(data.toString()));
      socket.write(question);
    });
  } finally {
    socket.destroy();
  }
}
