import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('requests.lua', import.meta.url));

/** Connections that are kept open, each with one request at a time. */
export const CONNECTIONS = 32;

/** Requests to send round robin. */
export interface Workload {
  readonly requests: readonly string[];
  /** Whether each request gets its own token in place of `~` and `#` (requests.lua). */
  readonly fresh?: boolean;
  /** Whether every answer must be an error; otherwise none may be. */
  readonly refused?: boolean;
}

/** The measurements of wrk. */
export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** A started run of wrk. */
export interface RunningLoad {
  readonly result: Promise<LoadResult>;
  stop(): void;
}

/** Where the load goes, for how long, and by which prepared file. */
export interface LoadOptions {
  readonly url: string;
  readonly seconds: number;
  readonly connections?: number;
  readonly workload: Workload;
  /** A folder and a name for the file of requests. */
  readonly folder: string;
  readonly name: string;
}

/**
 * Starts to send the workload with wrk: a closed loop of keep-alive connections from one thread.
 *
 * @returns the result rejects if an answer is not what the workload expects, or a connection breaks
 */
export function startLoad(options: LoadOptions): RunningLoad {
  const { url, seconds, workload, connections = CONNECTIONS } = options;
  const file = join(options.folder, `${options.name.replaceAll(/\W+/g, '-')}.requests`);
  writeFileSync(file, workload.requests.join('\0'), { mode: 0o600 });
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '5s', '-s', SCRIPT, url, '--', file];
  if (workload.fresh === true) args.push('fresh');
  const wrk = spawn('wrk', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  wrk.stdout.on('data', (data: Buffer) => (output += data.toString()));
  wrk.stderr.on('data', (data: Buffer) => (output += data.toString()));
  const result = new Promise<LoadResult>((resolve, reject) => {
    wrk.once('error', reject);
    wrk.once('close', () => {
      try {
        resolve(read(output, workload, options.name));
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });
  return { result, stop: () => void wrk.kill('SIGINT') };
}

/** Sends the workload and waits for the end. @throws Error as `startLoad` */
export function load(options: LoadOptions): Promise<LoadResult> {
  return startLoad(options).result;
}

function read(output: string, workload: Workload, name: string): LoadResult {
  const json = /^RESULT (.*)$/m.exec(output)?.[1];
  if (json === undefined) throw new Error(`${name}: wrk did not finish: ${output}`);
  const summary = JSON.parse(json) as Record<'requests' | 'microseconds' | 'p50' | 'p99' | 'failed' | 'broken', number>;
  const { requests, failed, broken } = summary;
  const expected = workload.refused === true ? requests : 0;
  if (requests === 0 || broken > 0 || failed !== expected) {
    throw new Error(`${name}: ${requests} answers, ${failed} of them errors (${expected} expected), ${broken} broken`);
  }
  return { requests, seconds: summary.microseconds / 1e6, p50Ms: summary.p50 / 1000, p99Ms: summary.p99 / 1000 };
}
