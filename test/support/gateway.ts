import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './service.ts';

/** The one block of that language in a page of docs/: the tests run what users copy. */
export function documented(page: string, language: string): string {
  const text = readFileSync(join(import.meta.dirname, '..', '..', 'docs', page), 'utf8');
  const blocks = [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))];
  if (blocks.length !== 1) throw new Error(`${page} has ${blocks.length} blocks of ${language}`);
  return blocks[0]![1]!;
}

/** Replaces placeholders in a documented text. @throws Error if one of them is missing */
export function filledIn(text: string, places: Readonly<Record<string, string>>): string {
  return Object.entries(places).reduce((filled, [place, value]) => {
    if (!filled.includes(place)) throw new Error(`the documented text has no ${place}`);
    return filled.replaceAll(place, value);
  }, text);
}

/** The API behind a gateway: keeps the headers of each call that reaches it. */
export class UpstreamApi {
  readonly calls: IncomingHttpHeaders[] = [];
  private readonly server: Server;

  private constructor() {
    this.server = createServer((incoming, answer) => {
      this.calls.push(incoming.headers);
      answer.end('the API');
    });
  }

  static async start(): Promise<UpstreamApi> {
    const api = new UpstreamApi();
    await new Promise<void>((resolve) => api.server.listen(0, '127.0.0.1', resolve));
    return api;
  }

  get address(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** A gateway in the foreground, with its own folder and without the system's configuration. */
export class Gateway {
  readonly folder = mkdtempSync(join(tmpdir(), 'latchkey-gateway-'));
  private child: ChildProcess | undefined;
  private output = '';

  /** @param port where it will listen, on 127.0.0.1 */
  constructor(readonly port: number) {
    // its workers run as another user, who must be able to read this folder
    chmodSync(this.folder, 0o711);
  }

  async start(program: string, args: readonly string[]): Promise<void> {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    child.stdout.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    process.once('exit', () => void child.kill('SIGKILL'));
    await eventually(async () => {
      if (child.exitCode !== null) return true;
      return (await fetch(`http://127.0.0.1:${this.port}/`)).status > 0;
    }).catch((error: unknown) => {
      throw new Error(`${program} does not answer: ${this.report()}`, { cause: error });
    });
    if (child.exitCode !== null) throw new Error(`${program} ended: ${this.report()}`);
  }

  /** A call through it. @param from the caller's own address */
  call(
    headers: Readonly<Record<string, string>>,
    from = '127.0.0.1',
  ): Promise<{ status: number; headers: IncomingHttpHeaders }> {
    return new Promise((resolve, reject) => {
      const options = {
        host: '127.0.0.1',
        port: this.port,
        path: '/any/path?x=y',
        localAddress: from,
        agent: false,
        headers,
      };
      request(options, (answer) => {
        answer.resume().on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers }));
      })
        .on('error', reject)
        .end();
    });
  }

  /** Its output, including its error.log. */
  private report(): string {
    const log = join(this.folder, 'error.log');
    return `${this.output}${existsSync(log) ? readFileSync(log, 'utf8') : ''}`;
  }

  async stop(): Promise<void> {
    const { child } = this;
    if (child?.exitCode === null) {
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGTERM');
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
