import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { installPackages, runAtLength } from '../local-stores/debian.ts';
import type { Say } from '../local-stores/debian.ts';
import { waitForLock } from '../local-stores/lock.ts';
import { StartError, endProcess, onPath } from '../local-stores/processes.ts';
import { inImage, startPostgres, withClient } from './postgres-server.ts';

const PACKAGE = 'postgresql-18-documentdb';
/** A file that says that the image is complete. */
const READY = 'ready-1';
/** Where the Debian image with PostgreSQL and the DocumentDB extension lies; all checkouts share it. */
export function imageRoot(): string {
  return process.env['LATCHKEY_DOCUMENTDB_ROOT'] ?? '/var/lib/latchkey-documentdb';
}

/** True if the image is complete. */
export function imageIsReady(): boolean {
  return existsSync(join(imageRoot(), READY));
}

/**
 * Makes the image if it is not there: about 630 MB, a minute.
 * @param say told about progress
 * @throws StartError if a step fails; what is half made is removed
 */
export async function ensureImage(say: Say): Promise<void> {
  if (imageIsReady()) return;
  const root = imageRoot();
  const lock = await waitForLock(`documentdb-image ${root}`, (holder) => {
    say(`DocumentDB: process ${holder} is installing it; waiting`);
  });
  try {
    if (imageIsReady()) return;
    await makeImage(root, say);
  } finally {
    lock.release();
  }
}

async function makeImage(root: string, say: Say): Promise<void> {
  if (existsSync(root))
    throw new StartError(`DocumentDB: ${root} is in the way, it is no image of this version; remove it`);
  if (onPath('mmdebstrap') === null) await installPackages(['mmdebstrap'], say);
  const making = `${root}.making`;
  rmSync(making, { recursive: true, force: true });
  mkdirSync(dirname(root), { recursive: true });
  say('DocumentDB, as MongoDB’s stand-in: fetching its Debian packages (about a minute, once)');
  try {
    await runAtLength('DocumentDB', mmdebstrap(making), say);
    await makeTemplate(making, say);
    mkdirSync(join(making, 'data'));
    writeFileSync(join(making, READY), '');
    renameSync(making, root);
  } catch (error) {
    rmSync(making, { recursive: true, force: true });
    throw error;
  }
}

/** The extension is in Debian's unstable release only: hence an image of that, and not the machine's own system. */
function mmdebstrap(target: string): string[] {
  return [
    'mmdebstrap',
    '--quiet',
    '--variant=apt',
    '--aptopt=APT::Install-Recommends "false"',
    // a mirror may be a snapshot, whose signature is good but dated
    '--aptopt=Acquire::Check-Valid-Until "false"',
    ...['locale', 'doc', 'man'].map((folder) => `--dpkgopt=path-exclude=/usr/share/${folder}/*`),
    `--include=${PACKAGE}`,
    'sid',
    target,
    ownMirror(),
  ];
}

/** The mirror that this machine's apt uses. */
function ownMirror(): string {
  const { stdout } = spawnSync('apt-get', ['indextargets', '--format', '$(SITE)'], { encoding: 'utf8' });
  const mirror = stdout.split('\n').find((site) => /\/debian\/?$/.test(site));
  if (mirror === undefined) throw new StartError('DocumentDB: apt knows no mirror of Debian (run apt-get update?)');
  return mirror;
}

/** An empty database with the extension in it, of which each data folder starts as a copy. */
async function makeTemplate(root: string, say: Say): Promise<void> {
  const { status, stdout } = spawnSync('chroot', [root, 'id', '-u', 'postgres'], { encoding: 'utf8' });
  if (status !== 0) throw new StartError('DocumentDB: the image has no user postgres');
  const uid = Number(stdout);
  const template = join(root, 'template');
  spawnSync('install', ['-d', '-m', '700', '-o', String(uid), '-g', String(uid), template]);
  const initdb = ['-D', '/template', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-instructions'];
  await runAtLength('DocumentDB: initdb', inImage(root, 'initdb', initdb), say);
  const server = await startPostgres(root, 'template', false);
  try {
    await withClient(server.socketFolder, async (client) => {
      await client.query('CREATE EXTENSION documentdb CASCADE');
      // the gateway builds indexes at once; there is no queue for these jobs to look after
      await client.query("SELECT cron.unschedule(jobname) FROM cron.job WHERE jobname LIKE 'documentdb_index_build%'");
    });
  } finally {
    await endProcess(server.process.identity, 'SIGINT', 15_000);
  }
}
