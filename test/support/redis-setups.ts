import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { RedisOptions } from 'ioredis';
import { freePort } from '../../tools/local-stores/ports.ts';
import { onPath } from '../../tools/local-stores/processes.ts';
import { eventually } from './service.ts';

const PROGRAM = onPath('redis-server') ?? onPath('valkey-server') ?? 'redis-server';
const SLOTS = 16_384;

/** Redis servers of one test, in any topology; `stop` ends them all. */
export class RedisSetup {
  readonly folder = mkdtempSync(join(tmpdir(), 'latchkey-redis-'));
  private readonly children: ChildProcess[] = [];

  /** Starts a server with these arguments besides the usual ones. @returns its port */
  async server(args: readonly string[] = [], options: RedisOptions = {}): Promise<number> {
    const port = await freePort();
    const usual = ['--dir', this.folder, '--save', '', '--appendonly', 'no', '--dbfilename', `${port}.rdb`];
    const policy = args.includes('--maxmemory-policy') ? [] : ['--maxmemory-policy', 'noeviction'];
    const listen = args.includes('--tls-port') ? [] : ['--port', String(port)];
    await this.run([...usual, ...policy, ...listen, ...args.map((arg) => arg.replaceAll('PORT', String(port)))]);
    await eventually(async () => (await this.ask(port, ['ping'], options)) === 'PONG');
    return port;
  }

  /** Three masters that share the slots. @returns their ports */
  async cluster(): Promise<number[]> {
    const args = ['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes-PORT.conf'];
    const ports = await Promise.all([this.server(args), this.server(args), this.server(args)]);
    const share = Math.ceil(SLOTS / ports.length);
    for (const [at, port] of ports.entries()) {
      const last = Math.min((at + 1) * share, SLOTS) - 1;
      await this.ask(port, ['cluster', 'addslotsrange', String(at * share), String(last)]);
      await this.ask(port, ['cluster', 'meet', '127.0.0.1', String(ports[0])]);
    }
    for (const port of ports) {
      await eventually(
        async () => String(await this.ask(port, ['cluster', 'info'])).includes('cluster_state:ok'),
        60_000,
      );
    }
    return ports;
  }

  /** A master and a Sentinel that watches it. @returns the Sentinel's port, and the master's */
  async sentinel(masterName: string): Promise<{ sentinel: number; master: number }> {
    const master = await this.server();
    const sentinel = await freePort();
    const config = join(this.folder, 'sentinel.conf');
    writeFileSync(config, `port ${sentinel}\nsentinel monitor ${masterName} 127.0.0.1 ${master} 1\n`);
    await this.run([config, '--sentinel']);
    await eventually(async () => (await this.ask(sentinel, ['ping'])) === 'PONG');
    return { sentinel, master };
  }

  /** A private CA with a certificate for a server at 127.0.0.1 and one for a client. @returns paths */
  certificates(): Record<'ca' | 'serverCert' | 'serverKey' | 'clientCert' | 'clientKey', string> {
    const file = (name: string): string => join(this.folder, name);
    const openssl = (...args: string[]): void =>
      void execFileSync(process.env['LATCHKEY_TEST_OPENSSL'] ?? 'openssl', args, { stdio: 'pipe' });
    const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    openssl(
      'req',
      '-x509',
      ...newKey,
      '-days',
      '2',
      '-subj',
      '/CN=ca',
      '-keyout',
      file('ca.key'),
      '-out',
      file('ca.pem'),
    );
    for (const name of ['server', 'client']) {
      openssl('req', ...newKey, '-subj', `/CN=${name}`, '-keyout', file(`${name}.key`), '-out', file(`${name}.csr`));
      writeFileSync(file('san'), 'subjectAltName=IP:127.0.0.1');
      const signing = ['-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAcreateserial', '-extfile', file('san')];
      openssl('x509', '-req', '-in', file(`${name}.csr`), ...signing, '-days', '2', '-out', file(`${name}.pem`));
    }
    return {
      ca: file('ca.pem'),
      serverCert: file('server.pem'),
      serverKey: file('server.key'),
      clientCert: file('client.pem'),
      clientKey: file('client.key'),
    };
  }

  /** One command over a connection of its own. */
  async ask(port: number, [command = '', ...args]: readonly string[], options: RedisOptions = {}): Promise<unknown> {
    const redis = new Redis({
      host: '127.0.0.1',
      port,
      lazyConnect: true,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      ...options,
    });
    redis.on('error', () => undefined);
    try {
      await redis.connect();
      return await redis.call(command, ...args);
    } finally {
      redis.disconnect();
    }
  }

  /** Ends them and removes their files. */
  async stop(): Promise<void> {
    const ended = this.children.map((child) => new Promise((resolve) => child.once('close', resolve)));
    for (const child of this.children) child.kill('SIGKILL');
    await Promise.all(ended);
    rmSync(this.folder, { recursive: true, force: true });
  }

  private run(args: readonly string[]): Promise<void> {
    const child = spawn(PROGRAM, args, { stdio: 'ignore' });
    this.children.push(child);
    process.once('exit', () => void child.kill('SIGKILL'));
    return Promise.resolve();
  }
}
