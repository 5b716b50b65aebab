import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { closeStalledAnswers } from './stalled-answers.ts';

const LIMIT_MS = 1_000;
/** More than the kernel holds for a connection. */
const LARGE = Buffer.alloc(32 * 1024 * 1024, 'x');
const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

let server: Server;
let socket: Socket;

async function begin(answer: RequestListener, requests = GET): Promise<Socket> {
  server = createServer(answer);
  closeStalledAnswers(server, LIMIT_MS);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => undefined).pause();
  await once(socket, 'connect');
  socket.write(requests);
  return socket;
}

/** Whether the server still holds the connection. */
async function connections(): Promise<number> {
  return new Promise((resolve) => {
    server.getConnections((_error, count) => {
      resolve(count);
    });
  });
}

afterEach(() => {
  socket.destroy();
  server.close();
});

describe('a connection whose caller reads nothing', () => {
  it.each([
    ['of a large answer', LARGE, GET],
    ['of many small answers', LARGE.subarray(0, 1024 * 1024), GET.repeat(32)],
  ])('%s is closed, and its answer ends', async (_what, body, requests) => {
    const closed: Promise<unknown>[] = [];
    const stalled = await begin((_request, response) => {
      closed.push(once(response, 'close'));
      response.end(body);
    }, requests);
    await once(stalled, 'readable'); // it reads the beginning, and then nothing more
    await Promise.all([pause(LIMIT_MS), ...closed]);
    expect(await connections()).toBe(0);
  });
});

describe('a connection stays open', () => {
  it('while its caller reads slowly', async () => {
    const slow = await begin((_request, response) => response.end(LARGE));
    let bytes = 0;
    const until = performance.now() + 2.5 * LIMIT_MS;
    while (performance.now() < until) {
      await pause(LIMIT_MS / 20);
      for (let taken = 0; taken < 512 * 1024;) {
        const chunk = slow.read() as Buffer | null;
        if (chunk === null) break;
        taken += chunk.length;
        bytes += chunk.length;
      }
    }
    slow.on('data', (chunk: Buffer) => (bytes += chunk.length)).resume();
    while (bytes < LARGE.length && !slow.destroyed) await pause(10);
    expect(bytes).toBeGreaterThan(LARGE.length);
  });

  it('while the answer is being made, however long that takes', async () => {
    const waiting = await begin((_request, response) => {
      setTimeout(() => response.end('late'), 2.5 * LIMIT_MS);
    });
    await once(waiting, 'readable');
    expect(String(waiting.read())).toContain('late');
  });
});
