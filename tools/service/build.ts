import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { waitForLock } from '../local-stores/lock.ts';
import { StartError } from '../local-stores/processes.ts';

/** What the build reads. */
const SOURCES = [
  'apps',
  'libs',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'nest-cli.json',
  'tools/bundle.ts',
];

/** How often a person who waits is told that it goes on, in milliseconds. */
const PROGRESS_MS = 10_000;

/** The service as it is built, relative to the checkout. */
export const BUNDLE = join('dist', 'latchkey.mjs');

/**
 * True if the built service is missing or older than anything it is built from.
 * @param root the checkout
 */
export function isStale(root: string): boolean {
  const built = statSync(join(root, BUNDLE), { throwIfNoEntry: false })?.mtimeMs;
  return built === undefined || SOURCES.some((source) => newest(join(root, source)) > built);
}

/** The latest change below a path, folders included (so that a removed file counts), in ms; 0 if there is none. */
function newest(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return 0;
  if (!stat.isDirectory()) return path.endsWith('.spec.ts') ? 0 : stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

/**
 * Builds the service where that is needed.
 * @param root the checkout
 * @param say told about progress
 * @throws StartError if the build fails; what is wrong has been shown
 */
export async function ensureBuilt(root: string, say: (line: string) => void): Promise<void> {
  if (!isStale(root)) return;
  const lock = await waitForLock(`build ${root}`, (holder) => say(`process ${holder} is building; waiting`));
  try {
    if (isStale(root)) await build(root, say);
  } finally {
    lock.release();
  }
}

async function build(root: string, say: (line: string) => void): Promise<void> {
  say('building the service (about half a minute)');
  const started = Date.now();
  const seconds = (): string => ((Date.now() - started) / 1000).toFixed(0);
  const progress = setInterval(() => say(`still building (${seconds()} s)`), PROGRESS_MS);
  const child = spawn('npm', ['run', '-s', 'build'], { cwd: root, stdio: ['ignore', 2, 2] });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).finally(() => clearInterval(progress));
  if (code !== 0 || !existsSync(join(root, BUNDLE))) throw new StartError('the build failed');
  say(`built in ${seconds()} s`);
}
