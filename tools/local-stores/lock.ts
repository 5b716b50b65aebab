import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A lock between processes of this machine that ends with its holder, however that ends: a listening Unix socket, on
 * Linux one without a file. Who asks for it in vain is told the holder's process number.
 */
export interface Lock {
  release(): void;
}

/**
 * Takes a lock.
 * @param name what is locked
 * @returns the lock, or the process number of who holds it
 */
export async function tryLock(name: string): Promise<Lock | number> {
  const path = socketPath(name);
  for (;;) {
    const server = await listen(path);
    if (server) return { release: () => void server.close() };
    const holder = await holderOf(path);
    if (holder !== null) return holder;
    // nobody answers: a file left by a process that was killed (never on Linux)
    if (!path.startsWith('\0')) rmSync(path, { force: true });
  }
}

/**
 * Takes a lock, when it is free.
 * @param name what is locked
 * @param onWait called once if another process holds it
 */
export async function waitForLock(name: string, onWait: (holder: number) => void): Promise<Lock> {
  for (let first = true; ; first = false) {
    const lock = await tryLock(name);
    if (typeof lock !== 'number') return lock;
    if (first) onWait(lock);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function socketPath(name: string): string {
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 24);
  return process.platform === 'linux' ? `\0latchkey-${digest}` : join(tmpdir(), `latchkey-${digest}.sock`);
}

async function listen(path: string): Promise<Server | null> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(String(process.pid));
  });
  const listening = await new Promise<boolean>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    server.listen(path, () => resolve(true));
  });
  server.unref();
  return listening ? server : null;
}

async function holderOf(path: string): Promise<number | null> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(path);
    socket.on('data', (data) => (text += data.toString()));
    socket.once('error', () => resolve(null));
    socket.once('close', () => resolve(text === '' ? null : Number(text)));
  });
}
