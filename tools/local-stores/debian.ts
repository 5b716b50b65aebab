import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StartError, onPath, tailOf } from './processes.ts';

/** Tells people what is going on, a line at a time. */
export type Say = (line: string) => void;

/** Why packages cannot be installed here, or null if they can. */
export function whyNoPackages(): string | null {
  if (!existsSync('/etc/debian_version') || onPath('apt-get') === null) return 'this is not Debian';
  if (process.getuid?.() !== 0) return 'only root may install Debian packages';
  return null;
}

/** True on Debian itself, not on one of its descendants, whose mirrors have no Debian releases. */
export function isDebianProper(): boolean {
  return existsSync('/etc/os-release') && /^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'));
}

const underWay = new Set<ChildProcess>();

/** Ends, with what they have started, the programs that `runAtLength` runs; they count as failed. */
export function endLongRuns(): void {
  for (const { pid } of underWay) if (pid !== undefined) process.kill(-pid, 'SIGTERM');
}

/**
 * Runs a program that may take long, telling every ten seconds that it still does.
 * @param what what to say about it
 * @param command the program and its arguments
 * @param say told about progress
 * @throws StartError with the end of its output if it fails
 */
export async function runAtLength(what: string, command: readonly string[], say: Say): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-log-'));
  const logFile = join(folder, 'output.log');
  const started = Date.now();
  const ticks = setInterval(() => say(`${what}: ${Math.round((Date.now() - started) / 1000)} s …`), 10_000);
  try {
    const [file = '', ...args] = command;
    const child = spawn(file, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      detached: true, // in a group of its own, to be ended as a whole
    });
    underWay.add(child);
    child.once('close', () => underWay.delete(child));
    const output: Buffer[] = [];
    child.stdout.on('data', (data: Buffer) => output.push(data));
    child.stderr.on('data', (data: Buffer) => output.push(data));
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (code === 0) return;
    writeFileSync(logFile, Buffer.concat(output));
    throw new StartError(`${what} failed${tailOf(logFile)}`);
  } finally {
    clearInterval(ticks);
    rmSync(folder, { recursive: true, force: true });
  }
}

const POLICY = '/usr/sbin/policy-rc.d';
let listsAreFresh = false;

/**
 * Installs Debian packages without leaving their services running.
 * @param packages names
 * @param say told about progress
 * @throws StartError if that fails
 */
export async function installPackages(packages: readonly string[], say: Say): Promise<void> {
  const names = packages.join(', ');
  say(`installing from Debian: ${names} (once)`);
  const lock = ['-o', 'DPkg::Lock::Timeout=300'];
  if (!listsAreFresh) await runAtLength('apt-get update', ['apt-get', ...lock, 'update', '-qq'], say);
  listsAreFresh = true;
  const ownPolicy = !existsSync(POLICY);
  // 101: "action forbidden by policy"; the packages' scripts ask this program before they start a service
  if (ownPolicy) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const install = ['apt-get', ...lock, 'install', '-y', '-qq', '--no-install-recommends', ...packages];
    await runAtLength(`installing ${names}`, install, say);
  } finally {
    if (ownPolicy) rmSync(POLICY, { force: true });
  }
}

/** Keeps a service that came with a package from being started at the next boot, where systemd runs. */
export function disableService(name: string): void {
  if (existsSync('/run/systemd/system')) spawnSync('systemctl', ['disable', '--quiet', name]);
}
