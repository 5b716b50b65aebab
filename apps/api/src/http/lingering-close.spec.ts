import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { lingerOnClose } from './lingering-close.ts';

const BODY_BYTES = 600_000;

let server: Server;
let client: Socket;
let serverSocket: Socket;

/** A server that refuses each request before its body has arrived. */
async function refusing(...headers: string[]): Promise<Socket> {
  const refuse: RequestListener = (_request, response) => {
    for (const name of headers) response.setHeader(name, 'close');
    response.writeHead(401, { 'content-length': 2 }).end('no');
  };
  server = createServer(refuse);
  lingerOnClose(server);
  server.on('connection', (socket: Socket) => (serverSocket = socket));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  // it goes on sending after the server has closed its side, as clients that read later do
  client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  await once(client, 'connect');
  return client;
}

afterEach(() => {
  client.destroy();
  serverSocket.destroy();
  server.close();
});

const head = (framing: string, ...lines: string[]): string =>
  `${['POST / HTTP/1.1', 'Host: x', framing, ...lines].join('\r\n')}\r\n\r\n`;

/** What happened to the client: the bytes that it received, and the code of the error that ended it. */
interface Outcome {
  received: string;
  failure?: string;
}

function observe(socket: Socket): Outcome {
  const outcome: Outcome = { received: '' };
  socket.on('data', (chunk) => (outcome.received += chunk.toString('latin1')));
  socket.on('error', (error: NodeJS.ErrnoException) => (outcome.failure = error.code ?? error.message));
  return outcome;
}

async function sendSlowly(socket: Socket, bytes: number): Promise<void> {
  for (let sent = 0; sent < bytes && !socket.destroyed; sent += 60_000) {
    socket.write('x'.repeat(Math.min(60_000, bytes - sent)));
    await pause(20);
  }
}

describe('a body that is still arriving when its request was refused', () => {
  it.each([
    ['the client asked for the last answer', [], ['Connection: close']],
    ['the server closes the connection', ['connection'], []],
  ])('is read to its end before the connection is closed without a reset: %s', async (_why, answered, sent) => {
    const socket = await refusing(...answered);
    const outcome = observe(socket);
    socket.write(head(`Content-Length: ${BODY_BYTES}`, ...sent));
    await sendSlowly(socket, BODY_BYTES);
    socket.end();
    if (!socket.closed) await once(socket, 'close');
    expect(outcome.failure).toBeUndefined();
    expect(outcome.received).toMatch(/^HTTP\/1\.1 401 [^]*no$/);
  });

  it('leaves a connection that is kept alive usable', async () => {
    const socket = await refusing();
    const outcome = observe(socket);
    socket.write(head(`Content-Length: ${BODY_BYTES}`));
    await sendSlowly(socket, BODY_BYTES);
    socket.end(head('Content-Length: 0', 'Connection: close'));
    await once(socket, 'close');
    expect(outcome.failure).toBeUndefined();
    expect(outcome.received.match(/HTTP\/1\.1 401 /g)).toHaveLength(2);
  });

  it.each([
    ['with Connection: close', ['Connection: close']],
    ['on a connection that is kept alive', []],
  ])(
    'is cut off beyond 16 MiB, %s',
    async (_what, sent) => {
      const socket = await refusing();
      const outcome = observe(socket);
      socket.write(head('Transfer-Encoding: chunked', ...sent));
      const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
      while (!socket.destroyed) {
        if (!socket.write(chunk)) await pause(5);
      }
      expect(outcome.received).toMatch(/^HTTP\/1\.1 401 /);
      expect(serverSocket.destroyed).toBe(true);
      expect(serverSocket.bytesRead).toBeGreaterThan(16 * 1024 * 1024);
    },
    60_000,
  );

  it.each([
    ['with Connection: close', ['Connection: close']],
    ['on a connection that is kept alive', []],
  ])(
    'is waited for five seconds, and no longer: %s',
    async (_what, sent) => {
      const socket = await refusing();
      const outcome = observe(socket);
      socket.write(head(`Content-Length: ${BODY_BYTES}`, ...sent));
      const startedAtMs = performance.now();
      await once(server, 'request');
      if (!serverSocket.destroyed) await once(serverSocket, 'close');
      expect(performance.now() - startedAtMs).toBeGreaterThan(4_500);
      expect(outcome.received).toMatch(/^HTTP\/1\.1 401 /);
    },
    30_000,
  );
});
