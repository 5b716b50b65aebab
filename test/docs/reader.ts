import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { BUNDLE } from '../support/service.ts';
import type { Service } from '../support/service.ts';
import { TlsFront } from '../support/tls-front.ts';
import { shellBlocks } from './shell-blocks.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** Addresses of a running Latchkey in the documents; curl maps each of them to the tested service. */
const PLAIN = ['127.0.0.1:3000', 'localhost:3000'];
const SECURE = 'latchkey.example:443';

/** The output of a document's commands. */
export interface Reading {
  readonly code: number | null;
  readonly output: string;
}

/**
 * Runs every command of a document unchanged, in one shell and in a checkout. `curl` reaches the tested service at the
 * addresses of the documents, and `latchkey` is the built program with the service's configuration.
 */
export class Reader {
  private constructor(
    readonly home: string,
    private readonly service: Service,
    private readonly front: TlsFront,
  ) {}

  static async at(service: Service): Promise<Reader> {
    const home = mkdtempSync(join(tmpdir(), 'latchkey-reader-'));
    const front = await TlsFront.start(service.url, home, 'latchkey.example');
    const { host } = new URL(service.url);
    const routes = [...PLAIN.map((from) => `${from}:${host}`), `${SECURE}:${front.address}`];
    const curl = [...routes.map((route) => `connect-to = "${route}"`), `cacert = "${front.certificateFile}"`];
    writeFileSync(join(home, '.curlrc'), `${curl.join('\n')}\n`);
    mkdirSync(join(home, 'bin'));
    const program = join(home, 'bin', 'latchkey');
    writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${BUNDLE}' "$@"\n`);
    chmodSync(program, 0o755);
    return new Reader(home, service, front);
  }

  /** Runs the document's blocks in order; stops at the first command that fails. */
  async run(document: string, env: Readonly<Record<string, string>> = {}): Promise<Reading> {
    const script = shellBlocks(document)
      .filter(({ skip }) => skip === undefined)
      .map(({ line, text: commands }) => `echo '── ${document}, line ${line}'\n${commands}\n`)
      .join('\n');
    const file = join(this.home, 'script.sh');
    writeFileSync(file, `set -eu\n${script}`);
    const child = spawn('bash', [file], {
      cwd: ROOT,
      env: { ...this.environment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return { code: await ended, output: stdout + stderr };
  }

  async leave(): Promise<void> {
    await this.front.stop();
    rmSync(this.home, { recursive: true });
  }

  private environment(): NodeJS.ProcessEnv {
    const path = [join(this.home, 'bin'), dirname(process.execPath), process.env['PATH'] ?? ''];
    return {
      HOME: this.home,
      PATH: path.join(':'),
      MONGODB_URI: this.service.database.uri,
      REDIS_URL: this.service.database.redisUrl,
      LATCHKEY_TOMBSTONE_DIR: this.home,
    };
  }
}
