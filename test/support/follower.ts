import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventBody } from './api.ts';

const SCRIPT = join(import.meta.dirname, '..', '..', 'docs', 'siem', 'follow.py');

/** The documented follower as a process that appends to a file, and that may be killed and started again. */
export class Follower {
  private readonly folder = mkdtempSync(join(tmpdir(), 'latchkey-follower-'));
  private child: ChildProcess | undefined;

  constructor(
    private readonly url: string,
    private readonly apiKey: string,
  ) {}

  start(): void {
    const output = openSync(join(this.folder, 'events.ndjson'), 'a');
    this.child = spawn('python3', [SCRIPT], {
      env: {
        PATH: process.env['PATH'],
        LATCHKEY_URL: this.url,
        LATCHKEY_API_KEY: this.apiKey,
        CURSOR_FILE: join(this.folder, 'cursor'),
      },
      stdio: ['ignore', output, 'inherit'],
    });
    closeSync(output);
  }

  /** Kills it wherever it is. */
  async kill(): Promise<void> {
    const { child } = this;
    if (child === undefined) return;
    const closed = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await closed;
    this.child = undefined;
  }

  /** All that it wrote, in its order, without lines that a kill cut off. */
  received(): EventBody[] {
    const lines = readFileSync(join(this.folder, 'events.ndjson'), 'utf8').split('\n');
    return lines.flatMap((line) => {
      try {
        return [JSON.parse(line) as EventBody];
      } catch {
        return [];
      }
    });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
