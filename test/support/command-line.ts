import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { BUNDLE } from './service.ts';
import type { TestDatabase } from './database.ts';

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of the built program against a database, as an operator would beside the running service. */
export async function latchkey(
  database: TestDatabase,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<CommandResult> {
  const child = spawn(process.execPath, ['--enable-source-maps', BUNDLE, ...args], {
    env: { PATH: process.env['PATH'], MONGODB_URI: database.uri, REDIS_URL: database.redisUrl, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await ended, stdout, stderr };
}
