import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { checkPort } from './free-port.ts';

const HOST = '127.0.0.1';

/** Listens on some port until `stop` is called. */
async function listener(): Promise<{ port: number; stop: () => Promise<unknown> }> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const stop = (): Promise<unknown> => new Promise((resolve) => server.close(resolve));
  return { port: (server.address() as AddressInfo).port, stop };
}

/** Whether a connection can be established now. */
function isAccepted(port: number): Promise<boolean> {
  const socket = connect({ port, host: HOST });
  return new Promise<boolean>((resolve) => {
    // a socket can be connected to itself
    socket.once('connect', () => resolve(socket.localPort !== port)).once('error', () => resolve(false));
  }).finally(() => socket.destroy());
}

describe('checkPort', () => {
  it('says what to do when another process listens', async () => {
    const { port, stop } = await listener();
    await expect(checkPort(port, HOST)).rejects.toThrow(`Port ${port} of 127.0.0.1 is in use. Choose another one`);
    await stop();
    await expect(checkPort(port, HOST)).resolves.toBeUndefined();
    await expect(checkPort(0, HOST)).resolves.toBeUndefined();
  });

  it('never takes a connection of somebody else, whose request would be lost', async () => {
    const { port, stop } = await listener();
    await stop();
    const file = JSON.stringify(new URL('free-port.ts', import.meta.url).href);
    const program = `const { checkPort } = await import(${file});
      for (let checked = 0; checked < 2_000; checked += 1) await checkPort(${port}, '${HOST}');`;
    const checks = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'inherit' });
    const ended = once(checks, 'exit');
    let accepted = 0;
    const callers = Array.from({ length: 20 }, async () => {
      while (checks.exitCode === null) if (await isAccepted(port)) accepted += 1;
    });
    expect(await ended).toEqual([0, null]);
    await Promise.all(callers);
    expect(accepted).toBe(0);
  });
});
