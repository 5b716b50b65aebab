import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../tools/local-stores/ports.ts';
import { required } from './database.ts';
import { eventually } from './service.ts';

/** A real nginx with a configuration of the test's own, in the foreground and in a folder of its own. */
export class Nginx {
  private readonly folder = mkdtempSync(join(tmpdir(), 'latchkey-nginx-'));
  private child: ChildProcess | undefined;

  private constructor(private readonly port: number) {}

  /**
   * Starts one that spreads requests over the instances, and waits until it answers.
   *
   * @param ports where the instances listen
   */
  static async before(ports: readonly number[]): Promise<Nginx> {
    const nginx = new Nginx(await freePort());
    const servers = ports.map((port) => `server 127.0.0.1:${port} max_fails=0;`).join(' ');
    await nginx.start(`
      upstream latchkey { ${servers} keepalive 32; }
      server {
        listen 127.0.0.1:${nginx.port};
        location / {
          proxy_pass http://latchkey;
          proxy_http_version 1.1;
          proxy_set_header Connection "";
          proxy_set_header X-Forwarded-For $remote_addr;
        }
      }`);
    return nginx;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** What it had to say of what went wrong. */
  get errors(): string {
    return readFileSync(join(this.folder, 'error.log'), 'utf8');
  }

  async stop(): Promise<void> {
    const { child } = this;
    if (child !== undefined) {
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGTERM');
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async start(http: string): Promise<void> {
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    const temporary = paths.map((name) => `${name}_temp_path ${join(this.folder, name)};`).join('\n');
    const file = join(this.folder, 'nginx.conf');
    const main = `daemon off; worker_processes 1; pid ${join(this.folder, 'nginx.pid')};
      events { worker_connections 512; }`;
    writeFileSync(file, `${main}\nhttp { access_log off;\n${temporary}\n${http}\n}\n`);
    const log = join(this.folder, 'error.log');
    const child = spawn(required('LATCHKEY_TEST_NGINX'), ['-e', log, '-p', this.folder, '-c', file], {
      stdio: 'ignore',
    });
    this.child = child;
    const kill = (): void => void child.kill('SIGTERM');
    process.once('exit', kill);
    child.once('close', () => process.off('exit', kill));
    await eventually(async () => (await fetch(`${this.url}/livez`)).status === 200);
  }
}
