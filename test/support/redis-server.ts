import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from '../../tools/local-stores/ports.ts';
import { onPath } from '../../tools/local-stores/processes.ts';
import { eventually } from './service.ts';

/** A Redis for one suite, for faults that the shared one must not have. It stores nothing on disk. */
export class RedisServer {
  private child: ChildProcess | undefined;
  private readonly folder = mkdtempSync(join(tmpdir(), 'latchkey-redis-'));

  private constructor(private readonly port: number) {}

  /** Reserves a port without starting the server. */
  static async absent(): Promise<RedisServer> {
    return new RedisServer(await freePort());
  }

  /** Starts a server. */
  static async running(): Promise<RedisServer> {
    const server = await RedisServer.absent();
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it, empty, at the same port each time, and waits until it answers. */
  async start(): Promise<void> {
    const program = onPath('redis-server') ?? onPath('valkey-server') ?? 'redis-server';
    const args = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.folder];
    args.push('--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction');
    const child = spawn(program, args, { stdio: 'ignore' });
    this.child = child;
    const kill = (): void => void child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('close', () => {
      process.off('exit', kill);
      if (this.child === child) this.child = undefined;
    });
    await eventually(async () => (await this.ask('ping')) === 'PONG');
  }

  /** Kills it, and with it all its data. */
  async kill(): Promise<void> {
    const { child } = this;
    if (child === undefined) return;
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  /** Pauses it: connections stay open, nothing is answered. */
  freeze(): void {
    this.child?.kill('SIGSTOP');
  }

  /** Resumes it after `freeze`. */
  thaw(): void {
    this.child?.kill('SIGCONT');
  }

  /** One command over a connection of its own. */
  async ask(command: string, ...args: (string | number)[]): Promise<unknown> {
    const redis = new Redis(this.url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
    redis.on('error', () => undefined);
    try {
      await redis.connect();
      return await redis.call(command, ...args.map(String));
    } finally {
      redis.disconnect();
    }
  }

  /** Ends it and removes its files. */
  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
